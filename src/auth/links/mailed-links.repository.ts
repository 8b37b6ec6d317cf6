import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { rowsIn, type Tx } from '../../database/transactions.js';

/** What a link is good for. */
export type LinkPurpose = 'verify_email' | 'reset_password' | 'change_email' | 'sign_in';

/** That somebody was mailed a link. */
export interface MailedLink {
  readonly id: string;
  readonly purpose: LinkPurpose;
  /** Null while there is no account of the address. */
  readonly userId: string | null;
  /** The account's `sessionEpoch` when it was mailed; null where there is no account. */
  readonly epoch: number | null;
  /** Where it was mailed to, in lower case. */
  readonly email: string;
  /** SHA-256 of what only the browser that asked for it has; null when any browser will do. */
  readonly browserHash: Buffer | null;
}

export interface NewMailedLink extends MailedLink {
  readonly tokenHash: Buffer;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

const SELECTION = `id, purpose, user_id AS "userId", epoch, email, browser_hash AS "browserHash"`;
const holderOf = ({ userId, email }: MailedLink): string => userId ?? email;

@Injectable()
export class MailedLinksRepository {
  constructor(private readonly database: Database) {}

  /** How many links of the purpose the holder was mailed since a time, and whether this one is among them. Others wait. */
  async lockHolder(
    tx: Tx,
    link: MailedLink,
    since: Date,
  ): Promise<{ readonly recent: number; readonly isMailed: boolean }> {
    const holder = [link.purpose, holderOf(link)];
    await rowsIn(tx, `SELECT pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 2))`, holder);
    const [row] = await rowsIn<{ recent: number; isMailed: boolean }>(
      tx,
      `SELECT count(*) FILTER (WHERE created_at > $3)::int AS recent, coalesce(bool_or(id = $4), false) AS "isMailed"
       FROM mailed_links WHERE purpose = $1 AND holder = $2`,
      [...holder, since, link.id],
    );
    return row ?? { recent: 0, isMailed: false };
  }

  /** The ones before it are good for nothing from now on. Call {@link lockHolder} first. */
  async insertInstead(tx: Tx, link: NewMailedLink): Promise<void> {
    const { id, purpose, userId, epoch, email, browserHash, tokenHash, createdAt, expiresAt } = link;
    await rowsIn(
      tx,
      `UPDATE mailed_links SET ended_at = $3 WHERE purpose = $1 AND holder = $2 AND used_at IS NULL AND ended_at IS NULL`,
      [purpose, holderOf(link), createdAt],
    );
    await rowsIn(
      tx,
      `INSERT INTO mailed_links (id, purpose, holder, user_id, epoch, email, browser_hash, token_hash, created_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [id, purpose, holderOf(link), userId, epoch, email, browserHash, tokenHash, createdAt, expiresAt],
    );
  }

  /** A link that can still be used. */
  async findOpen(purpose: LinkPurpose, tokenHash: Buffer, now: Date): Promise<MailedLink | null> {
    const [row] = await this.database.read<MailedLink>(
      `SELECT ${SELECTION} FROM mailed_links
       WHERE token_hash = $2 AND purpose = $1 AND used_at IS NULL AND ended_at IS NULL AND expires_at > $3`,
      [purpose, tokenHash, now],
    );
    return row ?? null;
  }

  /** Uses a link up; null when it cannot be used. Of any number at once one succeeds: the others wait for its commit. */
  async use(tx: Tx, purpose: LinkPurpose, tokenHash: Buffer, now: Date): Promise<MailedLink | null> {
    const [row] = await rowsIn<MailedLink>(
      tx,
      `UPDATE mailed_links SET used_at = $3
       WHERE token_hash = $2 AND purpose = $1 AND used_at IS NULL AND ended_at IS NULL AND expires_at > $3
       RETURNING ${SELECTION}`,
      [purpose, tokenHash, now],
    );
    return row ?? null;
  }

  /** Removes those that expired before a time. */
  async removeExpiredBefore(time: Date): Promise<void> {
    await this.database.read(`DELETE FROM mailed_links WHERE expires_at < $1`, [time]);
  }
}
