import { Injectable } from '@nestjs/common';
import { BaseRepository } from '../database/base.repository.js';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';
import { MailMessage } from './mail-message.entity.js';

@Injectable()
export class MailRepository extends BaseRepository<MailMessage> {
  constructor(database: Database) {
    super(database, MailMessage);
  }

  /** Inserts all messages with one statement. */
  async insertAll(tx: Tx, messages: readonly MailMessage[]): Promise<void> {
    const column = <Value>(value: (message: MailMessage) => Value): Value[] => messages.map(value);
    await rowsIn(
      tx,
      `INSERT INTO mail_messages (id, template, recipient, locale, data, about_kind, about_id, created_at)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::text[], $7::uuid[], $8::timestamptz[])`,
      [
        column(({ id }) => id),
        column(({ template }) => template),
        column(({ recipient }) => recipient),
        column(({ locale }) => locale),
        column(({ data }) => JSON.stringify(data)),
        column(({ aboutKind }) => aboutKind),
        column(({ aboutId }) => aboutId),
        column(({ createdAt }) => createdAt),
      ],
    );
  }
}
