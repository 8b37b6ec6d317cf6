import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { Clock } from '../common/clock.js';
import { LOGGER } from '../common/logging.js';
import { CONFIG, type Config } from '../config/config.js';
import type { Tx } from '../database/transactions.js';
import { JobsService } from '../jobs/jobs.service.js';
import { DeliveryAlerts } from './delivery-alerts.js';
import { DELIVER_MAIL, type DeliverMail, PROBE_MAIL_SERVER } from './mail.jobs.js';
import type { MailMessage } from './mail-message.entity.js';
import { MailRepository, type ReleasedMail } from './mail.repository.js';
import { MailServerRepository, type MailServerState } from './mail-server.repository.js';
import { retryWaitMs } from './retry-wait.js';

/** From then on an outage is more than a restart of the server. */
const ALERT_AFTER_MS = 600_000;
/** How long after the time limit of a delivery its outcome is on record. */
const PROBE_ENDED_MS = 5_000;

interface Outage {
  /** What was wrong. */
  readonly words: string;
  /** The message was the test whether the server is back. */
  readonly isProbe: boolean;
}

/**
 * The pause of all mail while the mail server is away, shared by all processes through the one row of `mail_server_state`.
 *
 * An outage begins the pause. From then on a delivery job finds it, marks its message as held and ends: it uses up no
 * attempt and nothing waits in the queue of jobs. One probe job at a time tests the server with one held message, after
 * growing waits. Whatever the server answers, yes or no, ends the pause: in the same transaction all held messages get
 * their delivery jobs back, so they leave at once.
 *
 * One recipient alone proves no outage, since the trouble may be its own. As long as mail to no second one met with it, it
 * is only suspected, and a message to another that comes along is tried at once. If that is answered and mail to the
 * suspect fails again, it pauses nobody any more: its messages are repeated by themselves, one at a time.
 *
 * The row is locked before any message is. A held message is thereby never left behind: who holds it has the lock and
 * sees the pause, who ends the pause has the lock and sees the message.
 */
@Injectable()
export class MailServer {
  private readonly logger: Logger;

  constructor(
    private readonly states: MailServerRepository,
    private readonly messages: MailRepository,
    private readonly jobs: JobsService,
    private readonly alerts: DeliveryAlerts,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'mail' });
  }

  lock(tx: Tx): Promise<MailServerState> {
    return this.states.lock(tx);
  }

  lockIfPaused(tx: Tx): Promise<MailServerState | null> {
    return this.states.lockIfPaused(tx);
  }

  /** Notes that a message met with an outage. It must be marked as held, and saved, before. */
  async noteOutage(tx: Tx, state: MailServerState, { recipient }: MailMessage, outage: Outage): Promise<void> {
    const begins = state.pausedSince === null;
    if (begins) {
      state.pausedSince = this.clock.now();
      state.suspect = recipient;
      this.logger.warn({ reason: outage.words }, 'the mail server is away: all mail waits');
    } else if (state.suspect !== recipient) {
      state.suspect = null;
    }
    state.lastError = outage.words;
    if (!begins && !outage.isProbe) {
      // it was under way when the pause began; a probe is planned or under way already
      await this.states.save(tx, state);
      return;
    }
    state.failures += 1;
    await this.alertIfLong(tx, state);
    const isOnlySuspicion = state.suspect !== null && (await this.messages.isAnyHeldExceptTo(tx, state.suspect));
    await this.planProbe(tx, state, isOnlySuspicion ? 0 : retryWaitMs(this.config.mail.retrySeconds, state.failures));
  }

  /** Notes that a message is held. It is the probe at once where mail to only one other recipient met with the outage. */
  async noteHeld(tx: Tx, state: MailServerState, { recipient }: MailMessage): Promise<void> {
    const { suspect, nextProbeAt } = state;
    if (suspect === null || suspect === recipient || nextProbeAt === null) return;
    if (nextProbeAt.getTime() > this.clock.now().getTime()) await this.planProbe(tx, state, 0);
  }

  /** From here on until its outcome is noted the probe is under way. */
  async beginProbe(tx: Tx, state: MailServerState): Promise<void> {
    state.nextProbeAt = null;
    await this.states.save(tx, state);
  }

  /** Plans the next probe where the message of the last one was deleted under way. */
  async noteLostProbe(tx: Tx, state: MailServerState): Promise<void> {
    if (state.pausedSince !== null)
      await this.planProbe(tx, state, retryWaitMs(this.config.mail.retrySeconds, state.failures));
  }

  /** Whatever became of the probe: where mail is paused and nobody is to end that, a new one is planned. */
  async watchPause(tx: Tx): Promise<void> {
    const state = await this.states.lock(tx);
    if (state.pausedSince === null || (await this.jobs.isAnyLeft(tx, PROBE_MAIL_SERVER))) return;
    this.logger.warn('mail waits for a server that nobody was to try any more; it is tried now');
    await this.planProbe(tx, state, 0);
  }

  /**
   * Ends the pause: everything that is held goes on at once. Where mail that was under way when the pause began is what ends
   * it, the probe is still under way: it is looked at again once it must have ended, in case its process died.
   */
  async resume(tx: Tx, state: MailServerState): Promise<void> {
    await this.states.save(tx, {
      pausedSince: null,
      failures: 0,
      nextProbeAt: null,
      round: state.round + 1,
      suspect: null,
      lastError: null,
    });
    const held = await this.messages.release(tx);
    const waiting = held.filter(({ isUnderWay }) => !isUnderWay);
    await this.jobs.enqueue(tx, DELIVER_MAIL, waiting.map(jobOf), { causes: waiting });
    const underWay = held.filter(({ isUnderWay }) => isUnderWay);
    const runAt = new Date(this.clock.now().getTime() + this.config.mail.sendWithinMs + PROBE_ENDED_MS);
    await this.jobs.enqueue(tx, DELIVER_MAIL, underWay.map(jobOf), { runAt, causes: underWay });
    this.logger.info({ held: held.length }, 'the mail server is back: mail goes on');
  }

  private async alertIfLong(tx: Tx, { pausedSince, failures }: MailServerState): Promise<void> {
    if (pausedSince === null || this.clock.now().getTime() - pausedSince.getTime() < ALERT_AFTER_MS) return;
    await this.alerts.raiseServerDown(tx, pausedSince, failures);
  }

  private async planProbe(tx: Tx, state: MailServerState, waitMs: number): Promise<void> {
    const runAt = new Date(this.clock.now().getTime() + waitMs);
    state.nextProbeAt = runAt;
    state.round += 1;
    await this.states.save(tx, state);
    await this.jobs.enqueue(tx, PROBE_MAIL_SERVER, [{ round: state.round }], { runAt });
  }
}

function jobOf({ id, round }: ReleasedMail): DeliverMail {
  return { message_id: id, round };
}
