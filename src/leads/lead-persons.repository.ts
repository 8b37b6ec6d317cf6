import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';

type Row = Readonly<Record<string, unknown>>;

/** Leads by the person they are about. */
@Injectable()
export class LeadPersonsRepository {
  constructor(private readonly database: Database) {}

  async idsOf(emails: readonly string[], tx?: Tx): Promise<string[]> {
    const text = `SELECT id FROM leads WHERE email = ANY ($1::text[])`;
    const rows = await (tx === undefined
      ? this.database.read<{ id: string }>(text, [emails])
      : rowsIn<{ id: string }>(tx, text, [emails]));
    return rows.map(({ id }) => id);
  }

  async lockOf(tx: Tx, email: string): Promise<{ readonly id: string; readonly since: Date }[]> {
    return rowsIn(tx, `SELECT id, created_at AS since FROM leads WHERE email = $1 ORDER BY id FOR UPDATE`, [email]);
  }

  /** In order, after this one. */
  async addressesAfter(address: string, most: number): Promise<string[]> {
    const rows = await this.database.read<{ email: string }>(
      `SELECT email FROM leads WHERE email > $1 ORDER BY email LIMIT $2`,
      [address, most],
    );
    return rows.map(({ email }) => email);
  }

  async leadsOf(email: string): Promise<Row[]> {
    return this.database.read(
      `SELECT id, first_name, last_name, email, locale, status, created_at, updated_at, reached_out_at
       FROM leads WHERE email = $1`,
      [email],
    );
  }

  /** Without the names of those who made them. */
  async changesOf(email: string): Promise<Row[]> {
    return this.database.read(
      `SELECT change.lead_id, change.from_status, change.to_status, change.changed_at
       FROM lead_status_changes AS change JOIN leads ON leads.id = change.lead_id
       WHERE leads.email = $1 ORDER BY change.changed_at, change.id`,
      [email],
    );
  }

  async consentsOf(email: string): Promise<Row[]> {
    return this.database.read(
      `SELECT lead_id, text_version, consent.locale, given_at, ip
       FROM lead_consents AS consent JOIN leads ON leads.id = lead_id WHERE leads.email = $1 ORDER BY given_at`,
      [email],
    );
  }

  /** With their stories. Returns how many there were. */
  async remove(tx: Tx, ids: readonly string[]): Promise<number> {
    return (await rowsIn(tx, `DELETE FROM leads WHERE id = ANY ($1::uuid[]) RETURNING id`, [ids])).length;
  }

  /** Takes the user names of those accounts out of the stories of others. Returns how many lines there were. */
  async forgetWorkOf(tx: Tx, userIds: readonly string[]): Promise<number> {
    const rows = await rowsIn(
      tx,
      `UPDATE lead_status_changes SET changed_by = 'erased' WHERE changed_by_id = ANY ($1::uuid[]) RETURNING id`,
      [userIds],
    );
    return rows.length;
  }
}
