import type { Config } from '../config/config.js';
import { type PrimaryState, stateOfPrimary, whyNotOf } from '../database/primary-state.js';
import { queryOf } from '../database/query.js';
import { Replica } from '../database/replica.js';
import { connectTo } from './connection.js';
import { type Finding, fine, skipped, wordsOf, warning } from './finding.js';

/** Whether each replica of DATABASE_REPLICA_URLS follows the primary. They are told by number: their addresses hold passwords. */
export async function checkReplicas({ database: { url, replicaUrls } }: Config): Promise<readonly Finding[]> {
  if (replicaUrls.length === 0) return [];
  if (url === undefined) return [skipped('replicas', 'the embedded PostgreSQL has none')];
  let primary: PrimaryState;
  try {
    primary = await primaryAt(url);
  } catch {
    return [skipped('replicas', 'they are compared with the primary, which does not answer')];
  }
  return Promise.all(replicaUrls.map((replicaUrl, index) => findingOf(replicaUrl, `replica ${index + 1}`, primary)));
}

async function findingOf(url: string, check: string, primary: PrimaryState): Promise<Finding> {
  const replica = new Replica(url, 1, () => undefined);
  try {
    const reason = whyNotOf(primary, await replica.state());
    if (reason === undefined) return fine(check, 'it follows the primary');
    return warning(
      check,
      `${reason}: the primary answers everything`,
      'Name standbys of DATABASE_URL in DATABASE_REPLICA_URLS; make one that is none anew (pg_basebackup)',
    );
  } catch (error) {
    return warning(
      check,
      `${wordsOf(error)}: the primary answers everything`,
      'Start it, or correct DATABASE_REPLICA_URLS',
    );
  } finally {
    await replica.close();
  }
}

async function primaryAt(url: string): Promise<PrimaryState> {
  const client = await connectTo(url);
  try {
    return await stateOfPrimary(queryOf(client));
  } finally {
    await client.end().catch(() => undefined);
  }
}
