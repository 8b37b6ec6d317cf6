import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { Clock } from '../common/clock.js';
import { LOGGER } from '../common/logging.js';
import { CONFIG, type Config } from '../config/config.js';
import { Transactions, type Tx, whenCommitted } from '../database/transactions.js';
import { JobsService } from '../jobs/jobs.service.js';
import { DeliveryAlerts } from './delivery-alerts.js';
import { type Failure, type FailureKind, isAboutRecipient } from './delivery-failure.js';
import { MailAttemptsRepository } from './mail-attempts.repository.js';
import { type BegunAttempt, MailDeliveriesRepository } from './mail-deliveries.repository.js';
import { lineAbout, type MailMessage, MailState } from './mail-message.entity.js';
import { MailServer } from './mail-server.js';
import { MailSuppressionsRepository } from './mail-suppressions.repository.js';
import { DELIVER_MAIL } from './mail.jobs.js';
import { MailMetrics } from './mail.metrics.js';
import { MailRepository } from './mail.repository.js';
import { retryWaitMs } from './retry-wait.js';

const DAY_MS = 86_400_000;
/** How long a message that alone cannot be delivered is tried. One that waits for the server is never given up. */
const SUSPECT_IS_TRIED_FOR_MS = 3 * DAY_MS;

/** An attempt of this process. */
export interface OwnAttempt extends BegunAttempt {
  /** It tests whether the server is back. */
  readonly isProbe: boolean;
}

/** Puts on record how attempts end, and what follows: a repetition, a pause of all mail or its end, a suppression, an alert. */
@Injectable()
export class DeliveryOutcomes {
  private readonly logger: Logger;

  constructor(
    private readonly messages: MailRepository,
    private readonly deliveries: MailDeliveriesRepository,
    private readonly attempts: MailAttemptsRepository,
    private readonly suppressions: MailSuppressionsRepository,
    private readonly server: MailServer,
    private readonly jobs: JobsService,
    private readonly alerts: DeliveryAlerts,
    private readonly metrics: MailMetrics,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'mail' });
  }

  /** The server has it. */
  async noteSent(attempt: OwnAttempt): Promise<void> {
    const { message, number } = attempt;
    message.attempts += 1;
    message.markSent(this.clock.now());
    if (!(await this.deliveries.recordSentAlone(attempt))) await this.noteSentInPause(attempt);
    this.metrics.countSent(message);
    this.logger.info({ ...lineAbout(message), attempt: number }, 'mail sent');
  }

  /** The server is back. */
  private async noteSentInPause(attempt: OwnAttempt): Promise<void> {
    await this.transactions.run(attempt.message, async (tx) => {
      const paused = await this.server.lockIfPaused(tx);
      await this.end(tx, attempt, 'sent', null);
      await this.messages.saveProgress(tx, attempt.message);
      if (paused !== null) await this.server.resume(tx, paused);
    });
  }

  /**
   * Settles a message where mail is switched off, or whose recipient is suppressed. True when nothing is to be done about a
   * message any more.
   */
  async settleUnsent(tx: Tx, message: MailMessage): Promise<boolean> {
    if (message.isSettled) return true;
    const now = this.clock.now();
    if (this.config.mail.isOn) {
      const reason = await this.suppressions.findReason(tx, message.recipient);
      if (reason === null) return false;
      message.markSuppressed(now, reason);
      await this.alerts.raiseSuppressed(tx, message);
    } else {
      message.markSwitchedOff(now);
    }
    await this.attempts.interrupt(tx, message.id, now);
    await this.messages.saveProgress(tx, message);
    whenCommitted(tx, () => {
      this.tellUnsent(message);
    });
    return true;
  }

  private tellUnsent(message: MailMessage): void {
    const isSuppressed = message.state === MailState.Suppressed;
    this.metrics.countUnsent(isSuppressed ? 'suppressed' : 'switched_off');
    if (isSuppressed) this.logger.warn(lineAbout(message), 'mail not sent: its recipient refuses for good');
    else this.logger.info(lineAbout(message), 'mail not sent: mail is switched off');
  }

  /** The server does not have it. An attempt that is not this process's own any more is not noted. */
  async noteFailure(attempt: OwnAttempt, failure: Failure): Promise<void> {
    const { message, number } = attempt;
    const isNoted = await this.transactions.run(message, (tx) =>
      failure.kind === 'outage' ? this.noteOutage(tx, attempt, failure) : this.noteRefusal(tx, attempt, failure),
    );
    if (!isNoted) return;
    const { kind, error } = failure;
    this.metrics.countFailure(kind, message.state === MailState.Failed);
    const line = { ...lineAbout(message), kind, attempt: number, err: error };
    if (message.state === MailState.Failed) this.logger.error(line, 'mail given up');
    else this.logger.warn(line, 'mail not delivered yet');
  }

  /** The server said no to this message. */
  private async noteRefusal(tx: Tx, attempt: OwnAttempt, { kind, words, error }: Failure): Promise<boolean> {
    const { message } = attempt;
    const paused = await this.server.lockIfPaused(tx);
    if (!(await this.end(tx, attempt, kind, words))) {
      // whose answer it was is no matter: the server is back
      if (paused !== null) await this.server.resume(tx, paused);
      return false;
    }
    const now = this.clock.now();
    message.attempts += 1;
    if (kind === 'postponed' && message.attempts < this.config.mail.maxAttempts)
      await this.retry(tx, message, message.attempts, words);
    else message.markFailed(now, words);
    if (kind === 'refused' && isAboutRecipient(error)) await this.suppressRecipient(tx, message, words);
    else if (message.state === MailState.Failed) await this.alerts.raiseGivenUp(tx, message);
    await this.messages.saveProgress(tx, message);
    if (paused !== null) await this.server.resume(tx, paused);
    return true;
  }

  private async suppressRecipient(tx: Tx, message: MailMessage, words: string): Promise<void> {
    await this.suppressions.add(tx, message.recipient, words, this.clock.now());
    await this.alerts.raiseRefused(tx, message);
  }

  private async noteOutage(tx: Tx, attempt: OwnAttempt, { words }: Failure): Promise<boolean> {
    const { message, isProbe } = attempt;
    const state = await this.server.lock(tx);
    const isItsOwn = state.pausedSince === null && (message.isSuspect || (await this.isToSuspect(tx, message)));
    if (!(await this.end(tx, attempt, 'outage', words))) {
      // without its message nobody else takes the probe over
      const isLost = isProbe && (await this.messages.lockById(tx, message.id)) === null;
      if (isLost) await this.server.noteLostProbe(tx, state);
      return false;
    }
    const now = this.clock.now();
    message.deferrals += 1;
    message.lastError = words;
    message.isSuspect ||= isItsOwn;
    if (!isItsOwn) message.hold(now);
    else if (now.getTime() - message.owedSince.getTime() > SUSPECT_IS_TRIED_FOR_MS) message.markFailed(now, words);
    else await this.retry(tx, message, message.deferrals, words);
    if (message.state === MailState.Failed) await this.alerts.raiseGivenUp(tx, message);
    await this.messages.saveProgress(tx, message);
    if (!isItsOwn) await this.server.noteOutage(tx, state, message, { words, isProbe });
    return true;
  }

  private isToSuspect(tx: Tx, { recipient }: MailMessage): Promise<boolean> {
    return this.attempts.wasServerSeenSinceOutageFor(tx, recipient);
  }

  private async retry(tx: Tx, message: MailMessage, failures: number, words: string): Promise<void> {
    const waitMs = retryWaitMs(this.config.mail.retrySeconds, failures);
    const runAt = new Date(this.clock.now().getTime() + waitMs);
    message.retryAt(runAt, words);
    await this.jobs.enqueue(tx, DELIVER_MAIL, [{ message_id: message.id, round: message.round }], { runAt });
  }

  /**
   * Whether the attempt was still this process's own. If not, another has taken the message over, and notes what fails, or it
   * was deleted. The message is locked before its attempts, as by whoever deletes both.
   */
  private async end(
    tx: Tx,
    { message, number }: OwnAttempt,
    outcome: FailureKind | 'sent',
    words: string | null,
  ): Promise<boolean> {
    await this.messages.lockById(tx, message.id);
    return this.attempts.end(tx, { messageId: message.id, number, endedAt: this.clock.now(), outcome, words });
  }
}
