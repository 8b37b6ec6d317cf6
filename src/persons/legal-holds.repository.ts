import { Injectable } from '@nestjs/common';
import type { Rows } from '../common/pagination.js';
import { BaseRepository } from '../database/base.repository.js';
import { violates } from '../database/constraints.js';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';
import { LegalHold } from './legal-hold.entity.js';
import { AlreadyOnHold } from './persons.errors.js';

const HELD = 'SELECT email FROM legal_holds WHERE lifted_at IS NULL ORDER BY email';

@Injectable()
export class LegalHoldsRepository extends BaseRepository<LegalHold> {
  constructor(database: Database) {
    super(database, LegalHold);
  }

  /** Until the transaction ends nobody else begins to hold this person, or to delete what is about them. */
  async lockPerson(tx: Tx, email: string): Promise<void> {
    await rowsIn(tx, `SELECT pg_advisory_xact_lock(hashtextextended('person ' || $1, 3))`, [email]);
  }

  async isHeld(tx: Tx, email: string): Promise<boolean> {
    const rows = await rowsIn(tx, `SELECT FROM legal_holds WHERE email = $1 AND lifted_at IS NULL`, [email]);
    return rows.length > 0;
  }

  /** Throws `AlreadyOnHold`. */
  override async insert(tx: Tx, hold: LegalHold): Promise<void> {
    try {
      await super.insert(tx, hold);
    } catch (error) {
      if (violates(error, 'idx_legal_holds_open')) throw new AlreadyOnHold();
      throw error;
    }
  }

  /** Places the hold of one address for another as well, as it was placed. */
  async copyOpen(tx: Tx, from: string, to: string, id: string): Promise<void> {
    await rowsIn(
      tx,
      `INSERT INTO legal_holds (id, email, reason, placed_at, placed_by)
       SELECT $3, $2, reason, placed_at, placed_by FROM legal_holds WHERE email = $1 AND lifted_at IS NULL`,
      [from, to, id],
    );
  }

  /** Whether it was there to be lifted. */
  async lift(tx: Tx, id: string, by: string, now: Date): Promise<boolean> {
    const rows = await rowsIn(
      tx,
      `UPDATE legal_holds SET lifted_at = $2, lifted_by = $3 WHERE id = $1 AND lifted_at IS NULL RETURNING id`,
      [id, now, by],
    );
    return rows.length > 0;
  }

  /** Those of somebody, latest first. */
  async listOf(email: string): Promise<LegalHold[]> {
    return this.list('t.email = $1 ORDER BY t.placed_at DESC, t.id', [email]);
  }

  /** Latest first. */
  async listPage(page: number, size: number, isLifted: boolean | undefined): Promise<Rows<LegalHold>> {
    const conditions = [{ text: '(t.lifted_at IS NOT NULL) = ?', value: isLifted }];
    return this.findPage({ conditions, orderBy: 't.placed_at DESC, t.id', page, size });
  }

  /** Until the transaction ends nobody is put on hold. Waits for those who do so at this moment. */
  async lockAll(tx: Tx): Promise<void> {
    await rowsIn(tx, `SELECT pg_advisory_xact_lock(hashtextextended('all persons', 3))`, []);
  }

  /** Waits while all persons are locked; any number may place holds at once. */
  async waitForAll(tx: Tx): Promise<void> {
    await rowsIn(tx, `SELECT pg_advisory_xact_lock_shared(hashtextextended('all persons', 3))`, []);
  }

  async heldEmails(): Promise<string[]> {
    return (await this.database.read<{ email: string }>(HELD)).map(({ email }) => email);
  }

  /** As the transaction sees it. */
  async heldEmailsIn(tx: Tx): Promise<string[]> {
    return (await rowsIn<{ email: string }>(tx, HELD, [])).map(({ email }) => email);
  }

  /** In order, after this one; those of lifted holds as well. */
  async addressesAfter(address: string, most: number): Promise<string[]> {
    const rows = await this.database.read<{ email: string }>(
      `SELECT DISTINCT email FROM legal_holds WHERE email > $1 ORDER BY email LIMIT $2`,
      [address, most],
    );
    return rows.map(({ email }) => email);
  }

  /** Takes these user names from the holds of others. Returns how many there were. */
  async forgetNames(tx: Tx, names: readonly string[]): Promise<number> {
    const rows = await rowsIn(
      tx,
      `UPDATE legal_holds SET placed_by = CASE WHEN placed_by = ANY ($1::text[]) THEN 'erased' ELSE placed_by END,
         lifted_by = CASE WHEN lifted_by = ANY ($1::text[]) THEN 'erased' ELSE lifted_by END
       WHERE placed_by = ANY ($1::text[]) OR lifted_by = ANY ($1::text[]) RETURNING id`,
      [names],
    );
    return rows.length;
  }

  /** The number of holds that were removed. */
  async removeOf(tx: Tx, email: string): Promise<number> {
    return (await rowsIn(tx, `DELETE FROM legal_holds WHERE email = $1 RETURNING id`, [email])).length;
  }
}
