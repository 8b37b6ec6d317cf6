import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/transactions.js';
import type { Erased, Person, PersonalData, PersonalRecord } from '../persons/persons.service.js';
import { MailPersonsRepository } from './mail-persons.repository.js';
import { MailService } from './mail.service.js';

/** What mail knows of a person: what was sent to them, what was said about their things, and that they refused mail. */
@Injectable()
export class MailPersons implements PersonalData {
  readonly name = 'mail';

  constructor(
    private readonly mails: MailPersonsRepository,
    private readonly mail: MailService,
  ) {}

  async recordsOf(person: Person): Promise<PersonalRecord[]> {
    const [messages, suppressions] = await Promise.all([
      this.mails.messagesOf(person),
      this.mails.suppressionsOf(person),
    ]);
    return [
      ...messages.map((data) => ({ kind: 'mail', data })),
      ...suppressions.map((data) => ({ kind: 'mail_suppression', data })),
    ];
  }

  addressesAfter(address: string, most: number): Promise<string[]> {
    return this.mails.addressesAfter(address, most);
  }

  /** What waits is not sent any more; what is with the mail server at this moment may arrive. */
  async erase(tx: Tx, person: Person): Promise<Erased> {
    // the server's state first: everybody takes the rows in this order
    const states = await this.mails.forgetInState(tx, person);
    const ids = await this.mails.removeMessages(tx, person);
    await this.mail.forgetLetters(tx, ids);
    const suppressions = await this.mails.removeSuppressions(tx, person);
    const names = await this.mails.forgetLiftsBy(tx, person);
    return { rows: states + ids.length + suppressions + names, remains: [] };
  }
}
