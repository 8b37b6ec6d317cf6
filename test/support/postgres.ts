import { spawn, spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { chown, copyFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { atEnd } from './clean-up.js';
import { makeFolder } from './program.js';

export const start = (dataDir: string): Promise<EmbeddedPostgres> =>
  startEmbeddedPostgres(dataDir, pino({ level: 'silent' }));

export const clusterOf = (dataDir: string): string => join(dataDir, 'postgres');

type Server = Pick<EmbeddedPostgres, 'url'>;

export const portOf = ({ url }: Server): number => Number(new URL(url).port);

export async function connected({ url }: Server): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  // a test may end the server under its clients
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export async function query<Row>(server: Server, text: string): Promise<Row[]> {
  const client = await connected(server);
  try {
    return (await client.query(text)).rows as Row[];
  } finally {
    await client.end();
  }
}

/** A thousand committed rows: what must still be there afterwards. */
export async function keepRows(server: Server): Promise<void> {
  await query(server, 'CREATE TABLE kept AS SELECT n FROM generate_series(1, 1000) AS n');
}

export async function rowsKept(server: Server): Promise<number> {
  const [row] = await query<{ rows: number }>(server, 'SELECT count(DISTINCT n)::int AS rows FROM kept');
  return row?.rows ?? 0;
}

let original: string | undefined;

/** A cluster with kept rows that was stopped in good order: a copy of one, because making it takes a second. */
export async function aStoppedCluster(): Promise<string> {
  if (original === undefined) {
    original = await makeFolder('the whole file');
    const server = await start(original);
    await keepRows(server);
    await server.stop();
  }
  const dataDir = await makeFolder();
  expect(spawnSync('cp', ['-a', clusterOf(original), dataDir]).status).toBe(0);
  return dataDir;
}

/** What a PostgreSQL that died leaves behind, naming a process that is not it. */
export async function leavePidFile(dataDir: string, pid: number): Promise<void> {
  const lines = [pid, clusterOf(dataDir), 1_700_000_000, 1, '', '127.0.0.1', '', 'ready   '];
  await writePidFile(dataDir, lines.join('\n'));
}

export async function writePidFile(dataDir: string, content: string): Promise<void> {
  const path = join(clusterOf(dataDir), 'postmaster.pid');
  await writeFile(path, content, { mode: 0o600 });
  const { uid, gid } = await stat(clusterOf(dataDir));
  await chown(path, uid, gid);
}

/** A program called postgres that is no PostgreSQL: it sleeps for as many seconds as it is told. */
export async function makeFakePostgres(): Promise<string> {
  const path = join(await makeFolder(), 'postgres');
  await copyFile('/bin/sleep', path);
  chmodSync(path, 0o755);
  return path;
}

/** A process that runs until the test is over. Resolves to its id. */
export async function aLivingProcess(program: string): Promise<number> {
  const child = spawn(program, ['300']);
  atEnd(() => child.kill('SIGKILL'));
  return child.pid ?? 0;
}
