import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { type Actor, readerOf } from '../common/actor.js';
import type { Rows } from '../common/pagination.js';
import { Transactions } from '../database/transactions.js';
import {
  type MailListing,
  type MailMessage,
  MailRecordsService,
  type MailStory,
} from '../mail/mail-records.service.js';
import { MailStatusService, type MailTest } from '../mail/mail-status.service.js';

/** Mail in the hands of an admin; what an admin changes, and whose mail an admin reads, is on record. */
@Injectable()
export class MailAdminService {
  constructor(
    private readonly records: MailRecordsService,
    private readonly delivery: MailStatusService,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
  ) {}

  /** Newest first. */
  async list(actor: Actor, listing: MailListing): Promise<Rows<MailMessage>> {
    const page = await this.records.list({ ...listing, reader: readerOf(actor) });
    await this.audit.recordSeldom(actor, { action: 'mail.listed', targetKind: 'mail', targetId: null });
    return page;
  }

  /** Throws `MailNotFound`. */
  async get(actor: Actor, id: string): Promise<MailStory> {
    const story = await this.records.get(id);
    await this.noteView(actor, id);
    return story;
  }

  /** Throws what {@link MailRecordsService.render} throws. */
  async render(actor: Actor, id: string, format: 'html' | 'text'): Promise<string> {
    const words = await this.records.render(id, format);
    await this.noteView(actor, id);
    return words;
  }

  private noteView(actor: Actor, id: string): Promise<void> {
    return this.audit.recordSeldom(actor, { action: 'mail.viewed', targetKind: 'mail', targetId: id });
  }

  /** The message that goes out. Throws what {@link MailRecordsService.resend} throws. */
  async resend(actor: Actor, id: string): Promise<MailMessage> {
    return this.transactions.run(actor, async (tx) => {
      const queued = await this.records.resend(tx, id);
      const details = { template: queued.template, queued_as: queued.id };
      await this.audit.record(tx, actor, { action: 'mail.resent', targetKind: 'mail', targetId: id, details });
      return queued;
    });
  }

  /** Throws `MailNotFound` and `MailNotWaiting`. */
  async cancel(actor: Actor, id: string): Promise<void> {
    await this.transactions.run(actor, async (tx) => {
      const { template } = await this.records.cancel(tx, id);
      const event = { action: 'mail.cancelled', targetKind: 'mail', targetId: id, details: { template } };
      await this.audit.record(tx, actor, event);
    });
  }

  /** Throws `MailSuppressionNotFound`. */
  async lift(actor: Actor, id: string): Promise<void> {
    await this.transactions.run(actor, async (tx) => {
      await this.records.lift(tx, actor, id);
      const event = { action: 'mail.suppression_lifted', targetKind: 'mail_suppression', targetId: id };
      await this.audit.record(tx, actor, event);
    });
  }

  /** On record before the server hears of it. Throws `MailSwitchedOff`. */
  async sendTest(actor: Actor, to: string): Promise<MailTest> {
    this.delivery.checkIsOn();
    await this.audit.recordAlone(actor, { action: 'mail.test_sent', targetKind: 'mail', targetId: null });
    return this.delivery.sendTest(to);
  }
}
