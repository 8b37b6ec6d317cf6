import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { type Actor, nameOf } from '../common/actor.js';
import { Clock } from '../common/clock.js';
import type { Rows } from '../common/pagination.js';
import { CONFIG, type Config } from '../config/config.js';
import { causeOf, type Tx } from '../database/transactions.js';
import { JobsService } from '../jobs/jobs.service.js';
import { MAIL_TEMPLATES, type MailTemplate } from './mail-catalogue.js';
import { type MailAttempt, MailAttemptsRepository } from './mail-attempts.repository.js';
import { MailComposer } from './mail-composer.js';
import { MailMessage, MailState } from './mail-message.entity.js';
import type { MailSuppression } from './mail-suppression.entity.js';
import { MailSuppressionsRepository, type SuppressionListing } from './mail-suppressions.repository.js';
import {
  MailNotFound,
  MailNotRenderable,
  MailRecipientSuppressed,
  MailSuppressionNotFound,
  MailSwitchedOff,
} from './mail.errors.js';
import { DELIVER_MAIL } from './mail.jobs.js';
import { type MailListing, MailRepository } from './mail.repository.js';

export { MailState };
export type { MailAttempt, MailListing, MailMessage, MailSuppression, SuppressionListing };

export const MAIL_TEMPLATE_NAMES = Object.keys(MAIL_TEMPLATES) as MailTemplate[];

/** A message in words, as it was or will be sent with the templates of today, without its secret values. */
export interface MailPreview {
  readonly subject: string;
  /** Null when the message cannot be rendered and goes out as plain text. */
  readonly html: string | null;
  readonly text: string;
  /** Why there is no HTML. */
  readonly problem: string | null;
}

export interface MailStory {
  readonly message: MailMessage;
  readonly attempts: readonly MailAttempt[];
  readonly preview: MailPreview;
  /** The id of the message that repeats this one. */
  readonly resentAs: string | null;
}

const STEERED = [
  'state',
  'round',
  'requeuedAt',
  'attempts',
  'deferrals',
  'lastError',
  'failedAt',
  'cancelledAt',
  'nextAttemptAt',
  'heldAt',
  'isSuspect',
  'secrets',
] as const;

/** What is on record of mail, for operators, and what they may do about it. */
@Injectable()
export class MailRecordsService {
  constructor(
    private readonly messages: MailRepository,
    private readonly attempts: MailAttemptsRepository,
    private readonly suppressions: MailSuppressionsRepository,
    private readonly composer: MailComposer,
    private readonly jobs: JobsService,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Newest first. */
  async list(listing: MailListing): Promise<Rows<MailMessage>> {
    return this.messages.listPage(listing);
  }

  /** Throws `MailNotFound`. */
  async get(id: string): Promise<MailStory> {
    const [message, attempts, resentAs] = await Promise.all([
      this.messages.findById(id),
      this.attempts.listOf(id),
      this.messages.findRepetition(id),
    ]);
    if (message === null) throw new MailNotFound();
    return { message, attempts, preview: this.previewOf(message), resentAs };
  }

  /** The HTML or the text of a message. Throws `MailNotFound`, and `MailNotRenderable` where there is no HTML. */
  async render(id: string, format: 'html' | 'text'): Promise<string> {
    const message = await this.messages.findById(id);
    if (message === null) throw new MailNotFound();
    const { html, text } = this.previewOf(message);
    if (format === 'text') return text;
    if (html === null) throw new MailNotRenderable();
    return html;
  }

  /**
   * Queues a settled message again, and returns the one that goes out. What was sent is repeated by a new message with a
   * Message-ID of its own that names the first; a recipient would otherwise take it for one he has. Everything else is tried
   * anew as it is, with all its attempts: where the server had it after all, both are one message to whoever receives them.
   * Throws `MailNotFound`, `MailStillUnderWay`, `MailSecretGone`, `MailJustResent`, `MailAlreadyResent`,
   * `MailRecipientSuppressed` and `MailSwitchedOff`.
   */
  async resend(tx: Tx, id: string): Promise<MailMessage> {
    const message = await this.lock(tx, id);
    const now = this.clock.now();
    message.checkResendable(now);
    if (!this.config.mail.isOn) throw new MailSwitchedOff();
    if ((await this.suppressions.findReason(tx, message.recipient)) !== null) throw new MailRecipientSuppressed();
    let queued = message;
    if (message.state === MailState.Sent) {
      queued = message.repeat(randomUUID(), causeOf(tx).requestId ?? null, now);
      await this.messages.insertRepetition(tx, queued);
    } else {
      message.queueAgain(now);
      await this.messages.update(tx, message, STEERED);
    }
    await this.jobs.enqueue(tx, DELIVER_MAIL, [{ message_id: queued.id, round: queued.round }]);
    return queued;
  }

  /** Gives up a message that waits. The row's lock decides between this and an attempt. Throws `MailNotFound` and `MailNotWaiting`. */
  async cancel(tx: Tx, id: string): Promise<MailMessage> {
    const message = await this.lock(tx, id);
    const attempts = message.state === MailState.Sending ? await this.attempts.listOf(id) : [];
    message.cancel(this.clock.now(), attempts.at(-1)?.startedAt ?? null);
    await this.messages.update(tx, message, STEERED);
    return message;
  }

  /** Latest first. */
  async listSuppressions(listing: SuppressionListing): Promise<Rows<MailSuppression>> {
    return this.suppressions.listPage(listing);
  }

  /** From then on mail to the address goes out again. Throws `MailSuppressionNotFound`. */
  async lift(tx: Tx, actor: Actor, id: string): Promise<void> {
    const isLifted = await this.suppressions.lift(tx, id, nameOf(actor), this.clock.now());
    if (!isLifted) throw new MailSuppressionNotFound();
  }

  private async lock(tx: Tx, id: string): Promise<MailMessage> {
    const message = await this.messages.lockById(tx, id);
    if (message === null) throw new MailNotFound();
    return message;
  }

  private previewOf(message: MailMessage): MailPreview {
    const { composed, failure } = this.composer.preview(message);
    return {
      subject: composed.subject,
      html: 'html' in composed ? composed.html : null,
      text: composed.text,
      problem: failure === null ? null : failure.message,
    };
  }
}
