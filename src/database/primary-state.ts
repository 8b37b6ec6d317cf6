import type { Query } from './query.js';
import type { ReplicaState } from './replica.js';
import { placeOf } from './write-marks.js';

/** What a replica is compared with. */
export interface PrimaryState {
  readonly system: string;
  /** Which of the cluster's histories it writes: each promotion begins one. Places in one say nothing of another. */
  readonly timeline: number;
  /** Where its log has come to. */
  readonly place: bigint;
}

/** Throws when it is away, or is no primary. */
export async function stateOfPrimary(query: Query): Promise<PrimaryState> {
  const [row] = await query<{ place: string; system: string; timeline: number }>(
    `SELECT pg_current_wal_flush_lsn()::text AS place, (SELECT system_identifier FROM pg_control_system())::text AS system,
       ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::int AS timeline`,
  );
  if (row === undefined) throw new Error('PostgreSQL says nothing of itself');
  return { ...row, place: placeOf(row.place) };
}

/** Why a replica is none of this primary; undefined when it is. How far it has come is another matter. */
export function whyNotOf(primary: PrimaryState, replica: ReplicaState): string | undefined {
  if (replica.system !== primary.system) return 'it is a copy of another PostgreSQL';
  if (!replica.isStandby) return 'it follows nobody';
  if (replica.timeline !== primary.timeline)
    return 'it does not follow this primary, or has not heard of its promotion yet';
  return undefined;
}
