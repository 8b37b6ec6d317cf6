import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';
import { namesOf, type Person } from '../persons/persons.service.js';

type Row = Readonly<Record<string, unknown>>;

const ABOUT = `(lower(recipient) = $1
  OR (about_kind, about_id) IN (SELECT * FROM unnest($2::text[], $3::uuid[])))`;
const valuesOf = ({ email, things }: Person): unknown[] => [
  email,
  things.map(({ kind }) => kind),
  things.map(({ id }) => id),
];

/** Mail by the person whom it is to or about. */
@Injectable()
export class MailPersonsRepository {
  constructor(private readonly database: Database) {}

  /** Without what is sealed for the recipient alone. Whom else the practice told is not the person's to know. */
  async messagesOf(person: Person): Promise<Row[]> {
    return this.database.read(
      `SELECT id, template, locale, data, state, created_at, sent_at, subject, last_error,
         CASE WHEN lower(recipient) = $1 THEN recipient END AS recipient
       FROM mail_messages WHERE ${ABOUT} ORDER BY created_at, id`,
      valuesOf(person),
    );
  }

  /** In order, after this one. */
  async addressesAfter(address: string, most: number): Promise<string[]> {
    const rows = await this.database.read<{ address: string }>(
      `(SELECT DISTINCT lower(recipient) AS address FROM mail_messages WHERE lower(recipient) > $1 ORDER BY 1 LIMIT $2)
       UNION (SELECT DISTINCT address FROM mail_suppressions WHERE address > $1 ORDER BY 1 LIMIT $2)
       UNION (SELECT lower(suspect) FROM mail_server_state WHERE lower(suspect) > $1)
       ORDER BY 1 LIMIT $2`,
      [address, most],
    );
    return rows.map((row) => row.address);
  }

  async suppressionsOf({ email }: Person): Promise<Row[]> {
    return this.database.read(
      `SELECT address, reason, since, lifted_at FROM mail_suppressions WHERE address = $1 ORDER BY since, id`,
      [email],
    );
  }

  /** The ids of those that were there, whatever their state; with their attempts, and what repeats them. */
  async removeMessages(tx: Tx, person: Person): Promise<string[]> {
    const rows = await rowsIn<{ id: string }>(
      tx,
      `DELETE FROM mail_messages WHERE ${ABOUT} RETURNING id`,
      valuesOf(person),
    );
    return rows.map(({ id }) => id);
  }

  async removeSuppressions(tx: Tx, { email }: Person): Promise<number> {
    return (await rowsIn(tx, `DELETE FROM mail_suppressions WHERE address = $1 RETURNING id`, [email])).length;
  }

  /** Takes the user names of the person's accounts from the suppressions that they lifted. */
  async forgetLiftsBy(tx: Tx, person: Person): Promise<number> {
    const rows = await rowsIn(
      tx,
      `UPDATE mail_suppressions SET lifted_by = 'erased' WHERE lifted_by = ANY ($1::text[]) RETURNING id`,
      [namesOf(person)],
    );
    return rows.length;
  }

  /** The state of the server says whom an outage was met with, and what the server said. */
  async forgetInState(tx: Tx, { email }: Person): Promise<number> {
    const rows = await rowsIn(
      tx,
      `UPDATE mail_server_state SET suspect = CASE WHEN lower(suspect) = $1 THEN NULL ELSE suspect END, last_error = NULL
       WHERE lower(suspect) = $1 OR position($1 IN lower(last_error)) > 0 RETURNING id`,
      [email],
    );
    return rows.length;
  }
}
