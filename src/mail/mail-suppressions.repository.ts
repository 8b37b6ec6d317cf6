import { Injectable } from '@nestjs/common';
import type { Rows } from '../common/pagination.js';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';

/** That an address gets no mail, or got none for a while. */
export interface MailSuppression {
  readonly id: string;
  readonly address: string;
  /** What its server said. */
  readonly reason: string;
  readonly since: Date;
  readonly liftedAt: Date | null;
  readonly liftedBy: string | null;
}

export interface SuppressionListing {
  readonly page: number;
  readonly size: number;
  /** Exactly this one, in whatever case. */
  readonly address?: string | undefined;
  /** Any when undefined. */
  readonly isLifted?: boolean | undefined;
}

/** Addresses that get no mail because they refused it for good, whatever the case they are written in. */
@Injectable()
export class MailSuppressionsRepository {
  constructor(private readonly database: Database) {}

  /** Does nothing when the address is suppressed already. */
  async add(tx: Tx, address: string, reason: string, since: Date): Promise<void> {
    await rowsIn(
      tx,
      `INSERT INTO mail_suppressions (address, reason, since) VALUES (lower($1), $2, $3)
       ON CONFLICT (address) WHERE lifted_at IS NULL DO NOTHING`,
      [address, reason, since],
    );
  }

  /** Why an address gets no mail; null when it does. */
  async findReason(tx: Tx, address: string): Promise<string | null> {
    const [row] = await rowsIn<{ reason: string }>(
      tx,
      `SELECT reason FROM mail_suppressions WHERE address = lower($1) AND lifted_at IS NULL`,
      [address],
    );
    return row?.reason ?? null;
  }

  /** Latest first. */
  async listPage({ page, size, address, isLifted }: SuppressionListing): Promise<Rows<MailSuppression>> {
    const rows = await this.database.read<{ readonly matching: number } & (MailSuppression | { readonly id: null })>(
      `WITH wanted AS (
         SELECT * FROM mail_suppressions
         WHERE ($3::text IS NULL OR address = lower($3)) AND ($4::boolean IS NULL OR (lifted_at IS NOT NULL) = $4)
       )
       SELECT counted.matching, paged.* FROM (SELECT count(*)::int AS matching FROM wanted) AS counted
       LEFT JOIN LATERAL (
         SELECT id, address, reason, since, lifted_at AS "liftedAt", lifted_by AS "liftedBy"
         FROM wanted ORDER BY since DESC, id DESC LIMIT $1 OFFSET $2) AS paged ON true`,
      [size, (page - 1) * size, address ?? null, isLifted ?? null],
    );
    const found = rows.filter((row) => row.id !== null);
    return {
      rows: found.map(({ id, address: suppressed, reason, since, liftedAt, liftedBy }) => ({
        id,
        address: suppressed,
        reason,
        since,
        liftedAt,
        liftedBy,
      })),
      total: rows[0]?.matching ?? 0,
    };
  }

  /** Whether it was there to be lifted. */
  async lift(tx: Tx, id: string, by: string, now: Date): Promise<boolean> {
    const rows = await rowsIn(
      tx,
      `UPDATE mail_suppressions SET lifted_at = $2, lifted_by = $3 WHERE id = $1 AND lifted_at IS NULL RETURNING id`,
      [id, now, by],
    );
    return rows.length > 0;
  }
}
