import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';

/** That somebody agreed to a text. */
export interface LeadConsent {
  readonly textVersion: string;
  /** The language of the form, as it or else the browser says; there may be no mails in it. */
  readonly locale: string;
  readonly givenAt: Date;
  /** Where the submission came from. */
  readonly ip: string;
}

@Injectable()
export class LeadConsentsRepository {
  constructor(private readonly database: Database) {}

  /** Null when none was given. */
  async findOf(leadId: string): Promise<LeadConsent | null> {
    const [row] = await this.database.read<LeadConsent>(
      `SELECT text_version AS "textVersion", locale, given_at AS "givenAt", ip FROM lead_consents WHERE lead_id = $1`,
      [leadId],
    );
    return row ?? null;
  }

  async insert(tx: Tx, leadId: string, { textVersion, locale, givenAt, ip }: LeadConsent): Promise<void> {
    await rowsIn(
      tx,
      `INSERT INTO lead_consents (lead_id, text_version, locale, given_at, ip) VALUES ($1, $2, $3, $4, $5)`,
      [leadId, textVersion, locale, givenAt, ip],
    );
  }
}
