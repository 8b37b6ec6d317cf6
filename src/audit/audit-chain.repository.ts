import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';
import type { HashedFields } from './audit-hash.js';

/** The end of a chain, or any entry of it. */
export interface ChainLink {
  /** From 1. */
  readonly number: bigint;
  readonly hash: string;
}

export interface LinkedEntry extends HashedFields, ChainLink {
  readonly previousHash: string;
}

const FIELDS = `id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, actor_kind, actor_id, actor_name, ip,
  user_agent, request_id, action, target_kind, target_id, outcome, details::text AS details`;
const HEAD = `SELECT number, hash FROM audit_entries WHERE number IS NOT NULL ORDER BY number DESC LIMIT 1`;

type Row<T extends ChainLink> = Omit<T, 'number'> & { readonly number: string };

const numbered = <T extends ChainLink>(row: Row<T>): T => ({ ...row, number: BigInt(row.number) }) as unknown as T;

@Injectable()
export class AuditChainRepository {
  constructor(private readonly database: Database) {}

  /** Lets one transaction of all processes at a time go on from here; the next one sees what it linked. */
  async lock(tx: Tx): Promise<void> {
    await rowsIn(tx, `SELECT pg_advisory_xact_lock(hashtextextended('forecourt:audit-chain', 0))`, []);
  }

  async headIn(tx: Tx): Promise<ChainLink | undefined> {
    const [row] = await rowsIn<Row<ChainLink>>(tx, HEAD, []);
    return row === undefined ? undefined : numbered(row);
  }

  async head(): Promise<ChainLink | undefined> {
    const [row] = await this.database.read<Row<ChainLink>>(HEAD);
    return row === undefined ? undefined : numbered(row);
  }

  /** Entries that have no place in the chain yet, oldest first. */
  async findUnlinked(tx: Tx, most: number): Promise<HashedFields[]> {
    return rowsIn(
      tx,
      // the time itself, not the text of that name
      `SELECT ${FIELDS} FROM audit_entries AS e WHERE number IS NULL ORDER BY e.at, e.id LIMIT $1`,
      [most],
    );
  }

  async countUnlinked(): Promise<number> {
    const [row] = await this.database.read<{ count: number }>(
      `SELECT count(*)::int AS count FROM audit_entries WHERE number IS NULL`,
    );
    return row?.count ?? 0;
  }

  /** Gives entries their places. */
  async link(
    tx: Tx,
    links: readonly (ChainLink & { readonly id: string; readonly previousHash: string })[],
  ): Promise<void> {
    await rowsIn(
      tx,
      `UPDATE audit_entries AS e SET number = l.number, previous_hash = l.previous_hash, hash = l.hash
       FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[]) AS l (id, number, previous_hash, hash)
       WHERE e.id = l.id`,
      [
        links.map(({ id }) => id),
        links.map(({ number }) => number.toString()),
        links.map(({ previousHash }) => previousHash),
        links.map(({ hash }) => hash),
      ],
    );
  }

  /** The next entries of the chain, by number. */
  async listAfter(number: bigint, most: number): Promise<LinkedEntry[]> {
    const rows = await this.database.read<Row<LinkedEntry>>(
      `SELECT ${FIELDS}, number, previous_hash AS "previousHash", hash FROM audit_entries
       WHERE number > $1 ORDER BY number LIMIT $2`,
      [number.toString(), most],
    );
    return rows.map((row) => numbered<LinkedEntry>(row));
  }
}
