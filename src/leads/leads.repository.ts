import { Injectable } from '@nestjs/common';
import type { FollowedRows } from '../common/cursors.js';
import { BaseRepository } from '../database/base.repository.js';
import { violates } from '../database/constraints.js';
import { Database } from '../database/database.js';
import type { ListOrder, Place } from '../database/list-order.js';
import type { Tx } from '../database/transactions.js';
import type { DueRows } from '../persons/retention.service.js';
import { LeadStatus } from './lead-status.js';
import { Lead } from './lead.entity.js';
import { LeadEmailDuplicate } from './leads.errors.js';

/** The fields a list can be sorted by; each has an index for all leads, and one for those of a status where {@link impliedBy} does not do. */
export const LEAD_SORT_FIELDS = [
  'created_at',
  'updated_at',
  'reached_out_at',
  'first_name',
  'last_name',
  'email',
  'status',
] as const;
export type LeadSortField = (typeof LEAD_SORT_FIELDS)[number];

export interface LeadListing {
  readonly page: number;
  readonly size: number;
  readonly status: LeadStatus | undefined;
  readonly sortBy: LeadSortField;
  readonly sortOrder: 'asc' | 'desc';
  /** Instead of `page`: the next leads behind a place in the order. */
  readonly after?: Place | undefined;
}

/** That nobody has to do anything about them, nor did since $1, and that they are of nobody in $2. */
const UNTOUCHED = `t.status = 'REACHED_OUT' AND t.updated_at < $1 AND t.email <> ALL ($2::text[])`;
const TYPES = {
  status: 'lead_status',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
  reached_out_at: 'timestamptz',
} as const;

@Injectable()
export class LeadsRepository extends BaseRepository<Lead> {
  constructor(database: Database) {
    super(database, Lead);
  }

  /** One page and the number of all leads that match. The id makes every order total, so that no lead is shown twice. */
  async listPage(
    { page, size, status, sortBy, sortOrder, after }: LeadListing,
    reader: string | undefined,
  ): Promise<FollowedRows<Lead>> {
    const conditions = [{ text: 'status = ?', value: status }];
    // the totals are kept by the database (migration 1764000000005)
    const totalOf = { table: 'lead_totals', column: 'total' };
    const implied = impliedBy(status, sortBy);
    return this.findWalkPage(
      { conditions, implied, order: orderOf(sortBy, sortOrder), page, size, after, reader },
      totalOf,
    );
  }

  async findUntouched(before: Date, exceptOf: readonly string[], most: number): Promise<DueRows> {
    const [row] = await this.database.read<{ count: number; oldest: Date | null; ids: string[] | null }>(
      `SELECT (SELECT count(*)::int FROM leads AS t WHERE ${UNTOUCHED}) AS count,
         (SELECT min(t.updated_at) FROM leads AS t WHERE ${UNTOUCHED}) AS oldest,
         (SELECT array_agg(id) FROM
           (SELECT t.id FROM leads AS t WHERE ${UNTOUCHED} ORDER BY t.updated_at, t.id LIMIT $3) AS oldest) AS ids`,
      [before, exceptOf, most],
    );
    return { count: row?.count ?? 0, oldest: row?.oldest ?? null, ids: row?.ids ?? [] };
  }

  /** Longest untouched first, without those that somebody else is changing. */
  async lockUntouched(tx: Tx, before: Date, exceptOf: readonly string[], most: number): Promise<Lead[]> {
    const inOrder = `${UNTOUCHED} ORDER BY t.updated_at, t.id LIMIT $3 FOR UPDATE SKIP LOCKED`;
    return this.listIn(tx, inOrder, [before, exceptOf, most]);
  }

  override async insert(tx: Tx, lead: Lead): Promise<void> {
    try {
      await super.insert(tx, lead);
    } catch (error) {
      if (violates(error, 'idx_lead_email')) throw new LeadEmailDuplicate();
      throw error;
    }
  }
}

function orderOf(sortBy: LeadSortField, direction: 'asc' | 'desc'): ListOrder {
  const type = sortBy in TYPES ? TYPES[sortBy as keyof typeof TYPES] : 'text';
  // a lead that was never reached sorts below every date
  return { by: `t.${sortBy}`, type, direction, hasGaps: sortBy === 'reached_out_at' };
}

/** What ck_leads_reached_out_at says, and PostgreSQL does not draw on: leads of the other status are passed over at once. */
function impliedBy(status: LeadStatus | undefined, sortBy: LeadSortField): string[] {
  if (status === undefined || sortBy !== 'reached_out_at') return [];
  return [`t.reached_out_at IS ${status === LeadStatus.Pending ? '' : 'NOT '}NULL`];
}
