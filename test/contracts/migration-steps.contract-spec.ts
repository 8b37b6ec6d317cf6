import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { MIGRATIONS } from '../../migrations/index.js';
import { PROJECT_ROOT } from '../../src/config/project-root.js';
import { unsafeSteps } from '../support/migration-steps.js';

/** From before copies of two versions had to work side by side: by time, the beginning of the hash of their text. */
const FROZEN: Readonly<Record<string, string>> = {
  '1764000000001': 'c193d121021e2c29',
  '1764000000002': '81f85983b8945eb5',
  '1764000000003': 'c7c519d8ef571ed3',
  '1764000000004': '28632921cfa12941',
  '1764000000005': '329dda99c37127cc',
  '1764000000006': '538ea59b67e7fc31',
  '1764000000007': '380ef59b96702ca6',
  '1764000000008': '4e3ba1536445be27',
  '1764000000009': '4ad8c724c7f19ebf',
  '1764000000010': '38bafa2b95acee1d',
  '1764000000012': '25082f5d5c7c5d6d',
  '1764000000013': 'd162594f956fea53',
  '1764000000014': 'a2a5732a4b768b94',
  '1764000000015': 'cf15212287d9f308',
  '1764000000016': 'a04d3077bb5c0722',
  '1764000000017': '5e1252cd9721ab00',
  '1764000000018': '6c146f525c8e5ec6',
  '1764000000020': 'f71f1a8e729521f4',
  '1764000000024': '281352504a0ac5f1',
  '1764000000025': 'be7ff66f8356dd67',
  '1764000000028': 'bfaa2ecad40ee76d',
  '1764000000032': 'e33442ab0106bdab',
  '1764000000033': '4d8a2e437daee1e4',
  '1764000000034': '5d9d07dc04389992',
  '1764000000036': '93fbfa9dae11ba6d',
  '1764000000037': '9f766457ac99d5e5',
  '1764000000038': '667d4328391d9138',
  '1764000000039': '5453080266105c05',
  '1764000000040': '2cdf4d8031023710',
  '1764000000042': 'ededb649654fc9e1',
  '1764000000045': 'facba21a880b6400',
  '1764000000046': 'bbac33d26b45c001',
};
const FOLDER = join(PROJECT_ROOT, 'migrations');

const timeOf = (name: string): string => /\d{13}/.exec(name)?.[0] ?? '';

/** A migration that takes away what no version since that one uses any more. */
interface Contracting extends MigrationInterface {
  readonly unusedSince?: string;
}

/** What it would do, done to nothing. */
async function statementsOf(migration: MigrationInterface): Promise<string[]> {
  const statements: string[] = [];
  const recorder = {
    query: async (text: string): Promise<unknown[]> => {
      statements.push(text);
      return [];
    },
  };
  await migration.up(recorder as unknown as QueryRunner);
  return statements;
}

/** Versions that were published, by CHANGELOG.md. */
function publishedVersions(): string[] {
  const changelog = readFileSync(join(PROJECT_ROOT, 'CHANGELOG.md'), 'utf8');
  return [...changelog.matchAll(/^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$/gm)].map(([, version = '']) => version);
}

describe('the migrations', () => {
  it('that landed before the rule are what they were: who has them does not run them again', () => {
    const hashes = readdirSync(FOLDER)
      .filter((file) => file !== 'index.ts' && timeOf(file) in FROZEN)
      .map((file) => {
        const text = readFileSync(join(FOLDER, file), 'utf8').replace(/\s+/g, '');
        return [timeOf(file), createHash('sha256').update(text).digest('hex').slice(0, 16)];
      });

    expect(Object.fromEntries(hashes)).toEqual(FROZEN);
  });

  it('since then leave the copy that still runs what it uses, or say which published version did without it', async () => {
    const published = publishedVersions();
    const wrong: string[] = [];
    for (const Migration of MIGRATIONS.filter(({ name }) => !(timeOf(name) in FROZEN))) {
      const migration: Contracting = new Migration();
      const { unusedSince } = migration;
      const steps = unsafeSteps(await statementsOf(migration));
      if (unusedSince === undefined) wrong.push(...steps.map((step) => `${Migration.name}: ${step}`));
      else if (!published.includes(unusedSince))
        wrong.push(`${Migration.name}: unusedSince ${unusedSince} is no published version of CHANGELOG.md`);
      else if (steps.length === 0) wrong.push(`${Migration.name}: takes nothing away, so unusedSince says nothing`);
    }

    expect(wrong).toEqual([]);
  });
});

describe('the rule', () => {
  it.each([
    ['a dropped column', 'ALTER TABLE leads DROP COLUMN phone'],
    ['a dropped column without the word', 'ALTER TABLE leads DROP phone'],
    ['a dropped column behind a harmless step', 'ALTER TABLE leads ADD COLUMN a int, DROP COLUMN IF EXISTS phone'],
    ['a dropped column in small letters, over lines', 'alter table\n  leads\n  drop\n  column phone'],
    ['a dropped column in the second statement', 'SELECT 1; ALTER TABLE leads DROP COLUMN phone;'],
    ['a dropped table', 'DROP TABLE IF EXISTS leads CASCADE'],
    ['a dropped view', 'DROP VIEW lead_totals'],
    ['a dropped type', 'DROP TYPE lead_status'],
    ['an emptied table', 'TRUNCATE leads'],
    ['a renamed column', 'ALTER TABLE leads RENAME COLUMN phone TO telephone'],
    ['a renamed column without the word', 'ALTER TABLE leads RENAME phone TO telephone'],
    ['a renamed table', 'ALTER TABLE leads RENAME TO prospects'],
    ['a renamed value', `ALTER TYPE lead_status RENAME VALUE 'PENDING' TO 'OPEN'`],
    ['a renamed constraint', 'ALTER TABLE leads RENAME CONSTRAINT ck_a TO ck_b'],
    ['a moved table', 'ALTER TABLE leads SET SCHEMA practice'],
    ['another type', 'ALTER TABLE leads ALTER COLUMN phone TYPE text'],
    ['another type in full', 'ALTER TABLE leads ALTER phone SET DATA TYPE text USING phone::text'],
    ['a value that must be there', 'ALTER TABLE leads ALTER COLUMN phone SET NOT NULL'],
    ['a default that is gone', 'ALTER TABLE leads ALTER COLUMN phone DROP DEFAULT'],
    ['a column that must be filled', 'ALTER TABLE leads ADD COLUMN phone text NOT NULL'],
    ['such a column in brackets', 'ALTER TABLE IF EXISTS ONLY leads ADD phone numeric(10, 2) NOT NULL'],
    ['a text that says DEFAULT', `ALTER TABLE leads ADD COLUMN phone text NOT NULL CHECK (phone <> ' DEFAULT ')`],
    ['a comment that says DEFAULT', 'ALTER TABLE leads ADD COLUMN phone text NOT NULL -- DEFAULT'],
    ['a checked constraint', 'ALTER TABLE leads ADD CONSTRAINT ck_phone CHECK (length(phone) > 3)'],
    ['a checked reference', 'ALTER TABLE leads ADD CONSTRAINT fk_a FOREIGN KEY (a) REFERENCES users (id)'],
    ['a constraint with an index', 'ALTER TABLE leads ADD CONSTRAINT uq_a UNIQUE (a)'],
    ['an index', 'CREATE INDEX idx_leads_phone ON leads (phone)'],
    ['a unique index', 'CREATE UNIQUE INDEX idx_leads_phone ON leads (phone)'],
    ['a table of an older migration beside a new one', 'CREATE TABLE calls (id int); DROP TABLE leads'],
  ])('finds %s', (_, statement) => {
    expect(unsafeSteps([statement])).toHaveLength(1);
  });

  it.each([
    ['a new table with all it needs', 'CREATE TABLE calls (id int NOT NULL); CREATE INDEX i ON calls (id)'],
    ['what comes to a new table', 'CREATE TABLE calls (id int); ALTER TABLE calls ADD COLUMN at date NOT NULL'],
    ['a column that may be empty', 'ALTER TABLE leads ADD COLUMN phone text'],
    [
      'a column with its own check',
      'ALTER TABLE leads ADD COLUMN phone text CONSTRAINT ck_p CHECK (length(phone) > 3)',
    ],
    ['a column with a default', `ALTER TABLE leads ADD COLUMN phone text NOT NULL DEFAULT ''`],
    ['a constraint for new rows', 'ALTER TABLE leads ADD CONSTRAINT ck_p CHECK (length(phone) > 3) NOT VALID'],
    ['its validation', 'ALTER TABLE leads VALIDATE CONSTRAINT ck_p'],
    ['a constraint that is gone', 'ALTER TABLE leads DROP CONSTRAINT ck_p'],
    ['a looser column', 'ALTER TABLE leads ALTER COLUMN phone DROP NOT NULL'],
    ['a new default', `ALTER TABLE leads ALTER COLUMN phone SET DEFAULT ''`],
    ['an index made beside all writes', 'CREATE INDEX CONCURRENTLY idx_leads_phone ON leads (phone)'],
    ['an index that is gone', 'DROP INDEX CONCURRENTLY idx_leads_phone'],
    ['a new value', `ALTER TYPE lead_status ADD VALUE 'LOST'`],
    [
      'a function that speaks of such things',
      'CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DROP TABLE leads; $$',
    ],
    ['a text that speaks of such things', `INSERT INTO notes VALUES ('x; DROP TABLE leads')`],
  ])('leaves %s alone', (_, statement) => {
    expect(unsafeSteps([statement])).toEqual([]);
  });
});
