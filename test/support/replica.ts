import { spawnSync } from 'node:child_process';
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { clusterOf, connected, portOf, query } from './postgres.js';
import { makeFolder } from './program.js';

export interface Pair {
  readonly primary: EmbeddedPostgres;
  readonly primaryDir: string;
  readonly replica: EmbeddedPostgres;
  readonly replicaDir: string;
}

const silent = pino({ level: 'silent' });

/** Starts, or starts again, a PostgreSQL of a pair. */
export const startOne = (dataDir: string): Promise<EmbeddedPostgres> =>
  startEmbeddedPostgres(dataDir, silent, ['wal_receiver_status_interval=1']);

/**
 * Two real PostgreSQL until the end of the file, of which one follows the other by streaming replication: its cluster is a copy that was made
 * while the other one ran, as pg_basebackup makes it, which is not among the programs here.
 */
export async function startPair(): Promise<Pair> {
  const [primaryDir, replicaDir] = await Promise.all([makeFolder('the whole file'), makeFolder('the whole file')]);
  const primary = await startOne(primaryDir);
  const session = await connected(primary);
  await session.query(`SELECT pg_backup_start('a replica', true)`);
  const copied = spawnSync('cp', ['-a', clusterOf(primaryDir), replicaDir]);
  if (copied.status !== 0) throw new Error(String(copied.stderr));
  const { rows } = await session.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
  await session.end();
  const cluster = clusterOf(replicaDir);
  for (const name of ['postmaster.pid', 'postmaster.opts', 'server.log'])
    await rm(join(cluster, name), { force: true });
  await rm(join(cluster, 'pg_wal'), { recursive: true });
  await mkdir(join(cluster, 'pg_wal', 'archive_status'), { recursive: true });
  const password = (await readFile(join(cluster, 'forecourt.password'), 'utf8')).trim();
  const connection = `host=127.0.0.1 port=${portOf(primary)} user=forecourt password=${password}`;
  await writeFile(join(cluster, 'backup_label'), rows[0]?.labelfile ?? '');
  await writeFile(join(cluster, 'standby.signal'), '');
  await appendFile(
    join(cluster, 'postgresql.auto.conf'),
    `primary_conninfo = '${connection}'\nwal_retrieve_retry_interval = '200ms'\n`,
  );
  // as whoever owns the cluster
  spawnSync('chown', ['-R', '--reference', clusterOf(primaryDir), cluster]);
  spawnSync('chmod', ['700', join(cluster, 'pg_wal'), join(cluster, 'pg_wal', 'archive_status')]);
  return { primary, primaryDir, replica: await startOne(replicaDir), replicaDir };
}

/** From then on the replica takes everything in and shows nothing of it. */
export async function pauseReplay({ replica }: Pair): Promise<void> {
  await query(replica, 'SELECT pg_wal_replay_pause()');
}

export async function resumeReplay({ replica }: Pair): Promise<void> {
  await query(replica, 'SELECT pg_wal_replay_resume()');
}
