import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { COMPOSE_VARIABLES } from '../../src/config/compose-variables.js';
import { loadConfig } from '../../src/config/config.js';
import { PROJECT_ROOT } from '../../src/config/project-root.js';
import type { Setting } from '../../src/config/setting.js';
import { SECRET_SETTINGS, SETTINGS } from '../../src/config/settings.js';

const FILE = readFileSync(join(PROJECT_ROOT, '.env.example'), 'utf8');
const NAMES = Object.keys(SETTINGS);

const OTHERS = Object.keys(COMPOSE_VARIABLES);
const SECRETS = [...SECRET_SETTINGS, 'POSTGRES_PASSWORD'];

/** Every line that sets something, or would without the # before it. */
const assignments = FILE.split('\n').flatMap((line) => {
  const [, sign, name = '', value] = /^(#?)([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
  return value === undefined ? [] : [{ name, value, isShownOnly: sign === '#' }];
});

describe('.env.example', () => {
  it('is what tools/env-example.mjs makes of the catalogue', () => {
    const { stdout, status } = spawnSync(process.execPath, [join('tools', 'env-example.mjs')], {
      cwd: PROJECT_ROOT,
      encoding: 'utf8',
    });

    expect(status).toBe(0);
    expect(FILE).toBe(stdout);
  });

  it('has every setting exactly once, in the order of the catalogue', () => {
    const names = assignments.map(({ name }) => name).filter((name) => !OTHERS.includes(name));

    expect(names).toEqual(NAMES);
  });

  it('has nothing else but what compose.yaml reads', () => {
    expect(assignments.map(({ name }) => name).filter((name) => !NAMES.includes(name))).toEqual(OTHERS);
  });

  it.each(Object.entries(SETTINGS) as [string, Setting][])(
    'explains %s and shows its default',
    (name, { doc, shown }) => {
      expect(FILE).toContain(`\n# ${doc}\n${shown === '' ? '' : '#'}${name}=${shown}\n`);
    },
  );

  it('gives no secret a value', () => {
    const secrets = assignments.filter(({ name }) => SECRETS.includes(name));

    expect(secrets).toHaveLength(SECRETS.length);
    expect(secrets.filter(({ value }) => value !== '')).toEqual([]);
  });

  it('changes nothing when it is copied as it is, nor when every line is taken in', () => {
    const all = Object.fromEntries(assignments.map(({ name, value }) => [name, value]));

    expect(loadConfig(parseEnv(FILE))).toEqual(loadConfig({}));
    expect(loadConfig(all)).toEqual(loadConfig({}));
  });
});
