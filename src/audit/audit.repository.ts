import { Injectable } from '@nestjs/common';
import type { Rows } from '../common/pagination.js';
import { BaseRepository } from '../database/base.repository.js';
import { Database } from '../database/database.js';
import { AuditEntry, type AuditOutcome } from './audit-entry.entity.js';

/** Which entries; undefined ones do not count. */
export interface AuditFilter {
  readonly actorId?: string | undefined;
  /** Whatever the case. */
  readonly actorName?: string | undefined;
  /** All that begin so when it ends in a dot. */
  readonly action?: string | undefined;
  readonly targetKind?: string | undefined;
  readonly targetId?: string | undefined;
  readonly outcome?: AuditOutcome | undefined;
  readonly ip?: string | undefined;
  readonly requestId?: string | undefined;
  /** The key that was used. */
  readonly apiKeyId?: string | undefined;
  readonly from?: Date | undefined;
  /** Exclusive. */
  readonly to?: Date | undefined;
}

/** Where in time a list goes on. */
export type AuditPlace = Pick<AuditEntry, 'at' | 'id'>;

const NEWEST_FIRST = 'ORDER BY t.at DESC, t.id DESC';

@Injectable()
export class AuditRepository extends BaseRepository<AuditEntry> {
  constructor(database: Database) {
    super(database, AuditEntry);
  }

  /** Outside of any transaction: one statement, on the disk when this resolves. */
  async insertAlone(entry: AuditEntry): Promise<void> {
    const { text, values } = this.insertion(entry);
    await this.database.read(text, values);
  }

  /** Newest first, with the number of all that match. */
  async listMatching(
    filter: AuditFilter,
    { page, size, reader }: { readonly page: number; readonly size: number; readonly reader: string | undefined },
  ): Promise<Rows<AuditEntry>> {
    const { where, values } = conditionsOf(filter);
    const [rows, total] = await Promise.all([
      this.database.readFor<object>(
        reader,
        `SELECT ${this.mapping.selection} FROM audit_entries AS t ${where} ${NEWEST_FIRST}
         LIMIT $${values.length + 1} OFFSET $${values.length + 2}`,
        [...values, size, (page - 1) * size],
      ),
      this.count(where, values, reader),
    ]);
    return { rows: rows.map((row) => this.toEntity(row)), total };
  }

  /** The next entries after a place, newest first: no connection is held between two calls. */
  async listOlder(
    filter: AuditFilter,
    {
      than,
      most,
      reader,
    }: { readonly than: AuditPlace | undefined; readonly most: number; readonly reader: string | undefined },
  ): Promise<AuditEntry[]> {
    const { where, values } = conditionsOf(filter, than);
    const rows = await this.database.readFor<object>(
      reader,
      `SELECT ${this.mapping.selection} FROM audit_entries AS t ${where} ${NEWEST_FIRST} LIMIT $${values.length + 1}`,
      [...values, most],
    );
    return rows.map((row) => this.toEntity(row));
  }

  /** Whatever the reader is given from now on, nothing of what there is now is missing in it. */
  async keepUp(reader: string | undefined): Promise<void> {
    await this.database.keepUp(reader);
  }

  /** All entries are as many as the last number says, and those without one: counting a million would take a second. */
  private async count(where: string, values: readonly unknown[], reader: string | undefined): Promise<number> {
    const counted =
      where === ''
        ? `coalesce(max(t.number), 0) + (SELECT count(*) FROM audit_entries WHERE number IS NULL)`
        : 'count(*)';
    const [row] = await this.database.readFor<{ total: string }>(
      reader,
      `SELECT (${counted})::text AS total FROM audit_entries AS t ${where}`,
      values,
    );
    return Number(row?.total ?? 0);
  }
}

/** The text depends on which conditions there are, never on their values. */
function conditionsOf(filter: AuditFilter, than?: AuditPlace): { readonly where: string; readonly values: unknown[] } {
  const values: unknown[] = [];
  const place = (value: unknown): string => `$${values.push(value)}`;
  const conditions: string[] = [];
  const add = <T>(value: T | undefined, write: (value: T) => string): void => {
    if (value !== undefined) conditions.push(write(value));
  };
  add(filter.actorId, (id) => `t.actor_id = ${place(id)}`);
  add(filter.actorName, (name) => `lower(t.actor_name) = lower(${place(name)})`);
  add(filter.action, (action) =>
    action.endsWith('.')
      ? // the sign after the dot is the slash
        `t.action COLLATE "C" >= ${place(action)} AND t.action COLLATE "C" < ${place(`${action.slice(0, -1)}/`)}`
      : `t.action COLLATE "C" = ${place(action)}`,
  );
  add(filter.targetKind, (kind) => `t.target_kind = ${place(kind)}`);
  add(filter.targetId, (id) => `t.target_id = ${place(id)}`);
  add(filter.outcome, (outcome) => `t.outcome = ${place(outcome)}`);
  add(filter.ip, (ip) => `t.ip = ${place(ip)}`);
  add(filter.requestId, (id) => `t.request_id = ${place(id)}`);
  add(filter.apiKeyId, (id) => `t.details ->> 'api_key_id' = ${place(id)}`);
  add(filter.from, (from) => `t.at >= ${place(from)}`);
  add(filter.to, (to) => `t.at < ${place(to)}`);
  add(than, ({ at, id }) => `(t.at, t.id) < (${place(at)}, ${place(id)})`);
  return { where: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`, values };
}
