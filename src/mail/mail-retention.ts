import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import type { Tx } from '../database/transactions.js';
import { SCHEDULED } from '../jobs/scheduled.jobs.js';
import type { DueRows, HeldPersons, RetentionRule } from '../persons/retention.service.js';
import { MailRetentionRepository } from './mail-retention.repository.js';
import { MailService } from './mail.service.js';

/** How long messages that are settled are kept. */
@Injectable()
export class MailRetention implements RetentionRule {
  readonly name = 'mail';
  readonly setting = 'RETENTION_MAIL_DAYS';
  readonly doc = 'mails that were sent, given up or cancelled, with their attempts and letters';
  readonly job = SCHEDULED.retain.name;
  readonly days: number | null;

  constructor(
    private readonly messages: MailRetentionRepository,
    private readonly mail: MailService,
    @Inject(CONFIG) { privacy }: Config,
  ) {
    this.days = privacy.retention.mailDays || null;
  }

  preview(before: Date, held: HeldPersons, most: number): Promise<DueRows> {
    return this.messages.findDue(before, held, most);
  }

  async removeSome(tx: Tx, before: Date, held: HeldPersons, most: number): Promise<number> {
    const ids = await this.messages.removeDue(tx, before, held, most);
    await this.mail.forgetLetters(tx, ids);
    return ids.length;
  }
}
