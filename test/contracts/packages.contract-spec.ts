import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../src/config/project-root.js';
import { lockedPackages, programPackages } from '../../tools/packages.mjs';
import { cleanUp } from '../support/clean-up.js';
import { makeFolder } from '../support/program.js';

/** Licences that let a practice run, change and pass on the program without giving away what is its own. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'MIT-0',
  'Python-2.0',
  'Zlib',
]);
const GROUPS = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;

interface Manifest extends Readonly<Record<(typeof GROUPS)[number], Record<string, string>>> {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly overrides: Record<string, string>;
  readonly allowScripts: Record<string, boolean>;
}

const read = (path: string): string => readFileSync(join(PROJECT_ROOT, path), 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;
const locked = lockedPackages(PROJECT_ROOT);
const packages = programPackages(PROJECT_ROOT);

afterEach(() => cleanUp());

/** Whether an SPDX expression leaves us a choice of what is allowed; AND binds more than OR. */
function isAllowed(expression: string): boolean {
  return expression
    .replace(/^\((.*)\)$/, '$1')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((id) => ALLOWED.has(id)));
}

describe('the lock file', () => {
  it('has a hash for every package and names the host of none', () => {
    const others = Object.entries(locked).filter(([path]) => path !== '');

    expect(others.length).toBeGreaterThan(500);
    expect(others.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''))).toEqual([]);
    expect(others.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
    expect(read('package-lock.json')).not.toMatch(/"(resolved|link)":/);
  });

  it('is of this package.json', () => {
    const root = locked[''] as unknown as Manifest;

    expect([root.name, root.version]).toEqual([manifest.name, manifest.version]);
    for (const group of GROUPS) expect([group, root[group]]).toEqual([group, manifest[group]]);
    for (const [name, version] of GROUPS.flatMap((group) => Object.entries(manifest[group])))
      expect([name, locked[`node_modules/${name}`]?.version]).toEqual([name, version]);
  });

  it('lets no package run a script at its installation about which nobody has decided', () => {
    const withScripts = Object.entries(locked)
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));

    expect(withScripts.filter((name) => !(name in manifest.allowScripts))).toEqual([]);
  });
});

describe('package.json', () => {
  it('names one exact version of each package', () => {
    const given = GROUPS.flatMap((group) => Object.entries(manifest[group]));
    const overrides = Object.entries(manifest.overrides).map(([name, version]) => [
      name,
      version.replace(/^npm:[\w@/-]+?@(?=\d)/, ''),
    ]);

    expect(given.length).toBeGreaterThan(50);
    expect(
      [...given, ...overrides].filter(([, version]) => !/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version ?? '')),
    ).toEqual([]);
  });

  it('names no package for whose choice README gives no reason', () => {
    const [, section = ''] = read('README.md').split('\n## Dependencies\n');
    const named = [...section.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    const isNamed = (name: string): boolean =>
      named.some((each) => (each.endsWith('/*') ? name.startsWith(each.slice(0, -1)) : each === name));
    const chosen = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.optionalDependencies)];

    expect(chosen.filter((name) => !isNamed(name))).toEqual([]);
  });
});

describe('the packages of the program', () => {
  it('are all of a licence that is allowed', () => {
    expect(packages.length).toBeGreaterThan(300);
    expect(
      packages
        .filter(({ license }) => license === undefined || !isAllowed(license))
        .map(({ name, version, license }) => `${name}@${version}: ${license ?? 'none'}`),
    ).toEqual([]);
  });

  it.each([
    ['MIT', true],
    ['(MIT OR GPL-3.0-or-later)', true],
    ['(MIT AND Zlib)', true],
    ['GPL-3.0-only', false],
    ['(MIT AND GPL-3.0-only)', false],
    ['AGPL-3.0-only OR SSPL-1.0', false],
    ['UNLICENSED', false],
    ['SEE LICENSE IN LICENSE', false],
    ['', false],
  ])('would be judged by the expression %s', (expression, answer) => {
    expect(isAllowed(expression)).toBe(answer);
  });

  it('stand in the bill of materials, each with version, hash, licence and what it needs, and the same each time', async () => {
    const folder = await makeFolder();
    const make = (file: string): string => {
      const target = join(folder, file);
      execFileSync(process.execPath, ['tools/sbom.mjs', target], {
        cwd: PROJECT_ROOT,
        env: { PATH: process.env['PATH'] ?? '', SOURCE_DATE_EPOCH: '1764000000' },
      });
      return readFileSync(target, 'utf8');
    };

    const text = make('one.json');

    expect(make('two.json')).toBe(text);
    expect(text).not.toContain(PROJECT_ROOT);
    const bom = JSON.parse(text) as {
      bomFormat: string;
      specVersion: string;
      serialNumber: string;
      metadata: { timestamp: string; component: Record<string, unknown> };
      components: Record<string, unknown>[];
      dependencies: { ref: string; dependsOn: string[] }[];
    };
    expect([bom.bomFormat, bom.specVersion, bom.metadata.timestamp]).toEqual([
      'CycloneDX',
      '1.6',
      '2025-11-24T16:00:00.000Z',
    ]);
    expect(bom.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(bom.metadata.component).toMatchObject({ name: 'forecourt', version: manifest.version });
    expect(bom.components.map(({ 'bom-ref': ref }) => ref)).toEqual(packages.map(({ path }) => path));
    expect(bom.components.find(({ name }) => name === 'pg')).toEqual({
      type: 'library',
      'bom-ref': 'node_modules/pg',
      name: 'pg',
      version: manifest.dependencies['pg'],
      scope: 'required',
      hashes: [{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) as string }],
      licenses: [{ license: { id: 'MIT' } }],
      purl: `pkg:npm/pg@${manifest.dependencies['pg'] ?? ''}`,
    });
    // what development needs as well is not left out
    expect(bom.components.map(({ name }) => name)).toEqual(expect.arrayContaining(['nodemailer', 'jose', 'lodash']));
    const reached = new Set<string>();
    const visit = (ref: string): void => {
      if (reached.has(ref)) return;
      reached.add(ref);
      bom.dependencies.find((each) => each.ref === ref)?.dependsOn.forEach(visit);
    };
    visit(`pkg:npm/forecourt@${manifest.version}`);
    expect(bom.components.map((each) => String(each['bom-ref'])).filter((ref) => !reached.has(ref))).toEqual([]);
  });
});

describe('the documents of the project', () => {
  it('come with the licence that package.json names, word for word', () => {
    expect(manifest.license).toBe('Apache-2.0');
    expect(createHash('sha256').update(read('LICENSE')).digest('hex')).toBe(
      'c71d239df91726fc519c6eb72d318ec65820627232b2f796219e87dcf35d0ab4',
    );
  });

  it('say what changed, the version at work first', () => {
    const headings = [...read('CHANGELOG.md').matchAll(/^## (.*)$/gm)].map(([, heading = '']) => heading);

    expect(headings[0]).toBe('[Unreleased]');
    for (const heading of headings.slice(1)) expect(heading).toMatch(/^\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d$/);
  });

  it.each(['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'])('%s names files and scripts that are there', (file) => {
    const text = read(file);
    const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);

    for (const [, script = ''] of text.matchAll(/npm run ([\w:-]+)/g)) expect(scripts).toContain(script);
    for (const [, path = ''] of text.matchAll(/`((?:src|test|tools|migrations|docs|\.ci)\/[\w./-]+\w)`/g))
      expect([path, existsSync(join(PROJECT_ROOT, path))]).toEqual([path, true]);
  });
});
