import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import type { Actor } from '../common/actor.js';
import { Transactions } from '../database/transactions.js';
import { type MailMessage, MailRecordsService } from '../mail/mail-records.service.js';
import { MailStatusService, type MailTest } from '../mail/mail-status.service.js';

/** Mail in the hands of an admin; what an admin changes is on record. */
@Injectable()
export class MailAdminService {
  constructor(
    private readonly records: MailRecordsService,
    private readonly delivery: MailStatusService,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
  ) {}

  /** The message that goes out. Throws what {@link MailRecordsService.resend} throws. */
  async resend(actor: Actor, id: string): Promise<MailMessage> {
    return this.transactions.run(async (tx) => {
      const queued = await this.records.resend(tx, id);
      const details = { template: queued.template, queued_as: queued.id };
      await this.audit.record(tx, actor, { action: 'mail.resent', targetKind: 'mail', targetId: id, details });
      return queued;
    });
  }

  /** Throws `MailNotFound` and `MailNotWaiting`. */
  async cancel(actor: Actor, id: string): Promise<void> {
    await this.transactions.run(async (tx) => {
      const { template } = await this.records.cancel(tx, id);
      const event = { action: 'mail.cancelled', targetKind: 'mail', targetId: id, details: { template } };
      await this.audit.record(tx, actor, event);
    });
  }

  /** Throws `MailSuppressionNotFound`. */
  async lift(actor: Actor, id: string): Promise<void> {
    await this.transactions.run(async (tx) => {
      await this.records.lift(tx, actor, id);
      const event = { action: 'mail.suppression_lifted', targetKind: 'mail_suppression', targetId: id };
      await this.audit.record(tx, actor, event);
    });
  }

  /** On record before the server hears of it. */
  async sendTest(actor: Actor, to: string): Promise<MailTest> {
    await this.audit.recordAlone(actor, { action: 'mail.test_sent', targetKind: 'mail', targetId: null });
    return this.delivery.sendTest(to);
  }
}
