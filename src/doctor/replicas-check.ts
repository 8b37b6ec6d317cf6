import pg from 'pg';
import type { Config } from '../config/config.js';
import { Replica } from '../database/replica.js';
import { type Finding, fine, skipped, wordsOf, warning } from './finding.js';

const CONNECT_WITHIN_MS = 5_000;

/** Whether each replica of DATABASE_REPLICA_URLS follows the primary. They are told by number: their addresses hold passwords. */
export async function checkReplicas({ database: { url, replicaUrls } }: Config): Promise<readonly Finding[]> {
  if (replicaUrls.length === 0) return [];
  if (url === undefined) return [skipped('replicas', 'the embedded PostgreSQL has none')];
  let system: string;
  try {
    system = await systemOf(url);
  } catch {
    return [skipped('replicas', 'they are compared with the primary, which does not answer')];
  }
  return Promise.all(replicaUrls.map((replicaUrl, index) => findingOf(replicaUrl, `replica ${index + 1}`, system)));
}

async function findingOf(url: string, check: string, system: string): Promise<Finding> {
  const replica = new Replica(url, 1, () => undefined);
  try {
    const state = await replica.state();
    if (state.system !== system)
      return warning(
        check,
        'it is a copy of another PostgreSQL, so that the primary answers everything',
        'Make it anew from the primary (pg_basebackup)',
      );
    if (!state.isStandby)
      return warning(
        check,
        'it follows nobody, so that the primary answers everything',
        'Name a standby in DATABASE_REPLICA_URLS, or nothing',
      );
    return fine(check, 'it follows the primary');
  } catch (error) {
    return warning(
      check,
      `${wordsOf(error)}; the primary answers everything`,
      'Start it, or correct DATABASE_REPLICA_URLS',
    );
  } finally {
    await replica.close();
  }
}

/** The number of a cluster and all its copies. */
async function systemOf(url: string): Promise<string> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'forecourt-doctor',
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    query_timeout: CONNECT_WITHIN_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ system: string }>(
      'SELECT system_identifier::text AS system FROM pg_control_system()',
    );
    return rows[0]?.system ?? '';
  } finally {
    await client.end().catch(() => undefined);
  }
}
