import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Logger } from 'pino';
import { Clock } from '../common/clock.js';
import { LOGGER } from '../common/logging.js';
import { CONFIG, type Config } from '../config/config.js';
import { type Cause, Transactions, type Tx } from '../database/transactions.js';
import { JobsService } from '../jobs/jobs.service.js';
import { failureOf } from './delivery-failure.js';
import { DeliveryOutcomes, type OwnAttempt } from './delivery-outcomes.js';
import { MailAttemptsRepository } from './mail-attempts.repository.js';
import { type BegunAttempt, MailDeliveriesRepository } from './mail-deliveries.repository.js';
import { MailSender } from './mail-sender.js';
import { MailServer } from './mail-server.js';
import { DELIVER_MAIL } from './mail.jobs.js';
import { MailRepository } from './mail.repository.js';

/** How soon a message is looked at again that lets a suspect of the same recipient go first; later, the longer it waits. */
const BEHIND_SUSPECT_MS = { least: 5_000, most: 60_000, share: 0.1 };

interface Attempt extends OwnAttempt {
  /** How many outages this process had met with when it began. */
  readonly outages: number;
}

/**
 * Takes one message from `queued` to its end, an attempt at a time: begin (one commit), hand over (no transaction), note
 * the outcome (one commit). On the way of a message that just arrives each of the two is one statement, for several at once
 * in haste. WORKER_CONCURRENCY messages are on this way, and SMTP_CONNECTIONS of them with the server, so that no connection
 * waits for the database.
 *
 * Who may arrive twice: a message whose process was killed, or lost its database, between the server's yes and our note.
 * It is then still `sending`, its job is freed by the sweep and runs again, and the message goes out once more under the
 * same Message-ID. Each end of a process does that at most once to each of the messages it had under way, and those are
 * never more than WORKER_CONCURRENCY. A message has one job at a time (one that an operator queues again has a new round, and
 * a job of an earlier one does nothing), so nothing else sends it twice. The same holds where the server takes a message and
 * the connection breaks before it says so (RFC 5321, 4.5.4.1, and RFC 1047).
 */
@Injectable()
export class MailDelivery implements OnApplicationBootstrap {
  private readonly logger: Logger;
  /** As many at a time as there are connections: a wait in nodemailer's pool would count as the server's. */
  private readonly inTurn: LimitFunction;
  private outages = 0;

  constructor(
    private readonly messages: MailRepository,
    private readonly deliveries: MailDeliveriesRepository,
    private readonly attempts: MailAttemptsRepository,
    private readonly server: MailServer,
    private readonly sender: MailSender,
    private readonly outcomes: DeliveryOutcomes,
    private readonly jobs: JobsService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.inTurn = pLimit(config.mail.connections);
    this.logger = logger.child({ logger: 'mail' });
  }

  onApplicationBootstrap(): void {
    const { isProduction, mail } = this.config;
    if (!mail.isOn) this.logger.warn('mail is switched off (NOTIFICATIONS_ENABLED): none leaves');
    else if (isProduction && mail.smtp === undefined)
      this.logger.warn('there is no mail server (SMTP_HOST): mails are written into a folder, and nobody gets them');
  }

  /** The job. Running it twice does no harm: see the class. */
  async deliver(cause: Cause, id: string, round = 0): Promise<void> {
    const { outages } = this;
    // every message passes here, and hardly any has to be set aside
    const begun =
      (this.config.mail.isOn ? await this.deliveries.beginAlone(id, this.clock.now(), round) : null) ??
      (await this.transactions.run(cause, (tx) => this.setAside(tx, id, round)));
    if (begun !== null) await this.attempt({ ...begun, outages, isProbe: false });
  }

  /**
   * The job that tests a server that was away, with one message. Running it twice does no harm: it does nothing once the
   * outcome of its round is noted, and before that it goes on from where its process died.
   */
  async probe(cause: Cause, round: number): Promise<void> {
    const { outages } = this;
    const begun = await this.transactions.run(cause, (tx) => this.beginProbe(tx, round));
    if (begun !== null) await this.attempt({ ...begun, outages, isProbe: true });
  }

  private async beginProbe(tx: Tx, round: number): Promise<BegunAttempt | null> {
    const state = await this.server.lock(tx);
    if (state.pausedSince === null || state.round !== round) return null;
    for (;;) {
      const id = this.config.mail.isOn ? await this.messages.findNextHeld(tx) : null;
      if (id === null) {
        await this.server.resume(tx, state);
        return null;
      }
      const begun = await this.deliveries.begin(tx, id, this.clock.now(), { isProbe: true, round: null });
      if (begun !== null) {
        await this.server.beginProbe(tx, state);
        return begun;
      }
      const message = await this.messages.lockById(tx, id);
      if (message !== null) await this.outcomes.settleUnsent(tx, message);
    }
  }

  /** Finds out why a message was not begun, and does what follows from that. Begins it where nothing is in its way any more. */
  private async setAside(tx: Tx, id: string, round: number): Promise<BegunAttempt | null> {
    const state = await this.server.lock(tx);
    const message = await this.messages.lockById(tx, id);
    if (message === null || message.round !== round || (await this.outcomes.settleUnsent(tx, message))) return null;
    const now = this.clock.now();
    if (state.pausedSince === null) {
      const begun = await this.deliveries.begin(tx, id, now, { isProbe: false, round });
      // otherwise a suspect of the same recipient goes first
      const { least, most, share } = BEHIND_SUSPECT_MS;
      const waitedMs = now.getTime() - message.owedSince.getTime();
      const runAt = new Date(now.getTime() + Math.min(most, Math.max(least, share * waitedMs)));
      if (begun === null) await this.jobs.enqueue(tx, DELIVER_MAIL, [{ message_id: id, round }], { runAt });
      return begun;
    }
    message.hold(now);
    await this.messages.saveProgress(tx, message);
    await this.server.noteHeld(tx, state, message);
    return null;
  }

  /** Waits for a connection. Where mail met with an outage meanwhile, the message asks again whether it may go. */
  private async attempt(attempt: Attempt): Promise<void> {
    const sent = await this.inTurn(async () => {
      const isAsBegun = attempt.isProbe || attempt.outages === this.outages;
      const current = isAsBegun
        ? attempt
        : await this.transactions.run(attempt.message, (tx) => this.beginAnew(tx, attempt));
      return current !== null && (await this.handOver(current)) ? current : null;
    });
    if (sent !== null) await this.outcomes.noteSent(sent);
  }

  private async beginAnew(tx: Tx, attempt: Attempt): Promise<Attempt | null> {
    const { message, number } = attempt;
    await this.server.lock(tx);
    await this.messages.lockById(tx, message.id);
    // otherwise another process has taken the message over
    if (!(await this.attempts.retract(tx, message.id, number))) return null;
    message.stepBack();
    await this.messages.saveProgress(tx, message);
    const begun = await this.setAside(tx, message.id, message.round);
    return begun === null ? null : { ...attempt, ...begun };
  }

  /** Whether the server took it. If not, that is on record before another message gets the connection. */
  private async handOver(attempt: Attempt): Promise<boolean> {
    try {
      await this.sender.send(attempt.message);
      return true;
    } catch (error) {
      const failure = failureOf(error);
      await this.outcomes.noteFailure(attempt, failure);
      if (failure.kind === 'outage') this.outages += 1;
      return false;
    }
  }
}
