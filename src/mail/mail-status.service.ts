import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { createTransport } from 'nodemailer';
import { Clock } from '../common/clock.js';
import { maskEmails } from '../common/privacy.js';
import { CONFIG, type Config } from '../config/config.js';
import { EmlFolder } from './eml-folder.js';
import {
  type MailDepth,
  MailFiguresRepository,
  type MailOutcomes,
  type MailWaiting,
} from './mail-figures.repository.js';
import { headersTo, senderDomain } from './mail-headers.js';
import { MailServerRepository, type MailServerState } from './mail-server.repository.js';
import { MailSwitchedOff } from './mail.errors.js';
import { composingTransport } from './mail.transport.js';
import { SmtpDialogue, type SmtpStep } from './smtp-dialogue.js';

export type { MailDepth, MailOutcomes, MailWaiting, SmtpStep };

const HOUR_MS = 3_600_000;
const CHECK_WITHIN_MS = 5_000;
const TEST_WITHIN_MS = 30_000;
/** Whoever asks within this time gets the answer of the one before. */
const CHECK_IS_FRESH_FOR_MS = 10_000;

/** What came of a connection to the mail server. */
export interface MailServerCheck {
  readonly host: string;
  readonly port: number;
  readonly checkedAt: Date;
  readonly isReachable: boolean;
  /** Such as `TLSv1.3`; null when the connection is not encrypted. */
  readonly tlsVersion: string | null;
  /** Null when no user name is set, or when it did not come to that. */
  readonly isAuthenticated: boolean | null;
  readonly error: string | null;
}

export interface MailStatus {
  /** Otherwise no message is sent. */
  readonly isOn: boolean;
  /** Null when no mail server is set, and mail goes into the folder. */
  readonly server: MailServerCheck | null;
  readonly folder: string | null;
  readonly pause: Pick<MailServerState, 'pausedSince' | 'nextProbeAt' | 'lastError'>;
  readonly depth: MailDepth;
  readonly oldestWaitingSeconds: number;
  readonly lastHour: MailOutcomes;
  readonly lastDay: MailOutcomes;
}

/** What came of a test message. */
export interface MailTest {
  readonly messageId: string;
  readonly isAccepted: boolean;
  readonly steps: readonly SmtpStep[];
}

/** How the sending of mail stands, and whether the server takes any. */
@Injectable()
export class MailStatusService {
  private latest: { readonly at: Date; readonly check: Promise<MailServerCheck> } | undefined;

  constructor(
    private readonly figures: MailFiguresRepository,
    private readonly states: MailServerRepository,
    private readonly eml: EmlFolder,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async status(): Promise<MailStatus> {
    const now = this.clock.now();
    const since = (milliseconds: number): Date => new Date(now.getTime() - milliseconds);
    const [server, state, depth, lastHour, lastDay] = await Promise.all([
      this.checkServer(now),
      this.states.read(),
      this.figures.depth(),
      this.figures.outcomesSince(since(HOUR_MS)),
      this.figures.outcomesSince(since(24 * HOUR_MS)),
    ]);
    const { pausedSince, nextProbeAt, lastError } = state;
    return {
      isOn: this.config.mail.isOn,
      server,
      folder: server === null ? this.eml.folder : null,
      pause: { pausedSince, nextProbeAt, lastError: masked(lastError) },
      depth,
      oldestWaitingSeconds:
        depth.oldestSince === null ? 0 : Math.max(0, (now.getTime() - depth.oldestSince.getTime()) / 1000),
      lastHour: withoutAddresses(lastHour),
      lastDay: withoutAddresses(lastDay),
    };
  }

  /** What waits; counts at most so many messages. */
  async waiting(mostRows: number): Promise<MailWaiting> {
    return this.figures.waiting(mostRows);
  }

  /** Whether mail waits for the server to come back. */
  async isPaused(): Promise<boolean> {
    return (await this.states.read()).pausedSince !== null;
  }

  /** Throws `MailSwitchedOff`. */
  checkIsOn(): void {
    if (!this.config.mail.isOn) throw new MailSwitchedOff();
  }

  /**
   * Sends a message now, past the queue, its pauses and suppressions, over a connection of its own. Never throws for what the
   * server says: each step has its words. Throws `MailSwitchedOff`.
   */
  async sendTest(to: string): Promise<MailTest> {
    this.checkIsOn();
    const { smtp, companyName, fromEmail, sendWithinMs } = this.config.mail;
    const id = randomUUID();
    const messageId = `<${id}@${senderDomain(this.config)}>`;
    const made = (await createTransport(composingTransport(this.config)).sendMail({
      ...headersTo(to, this.config),
      messageId,
      date: this.clock.now(),
      subject: `Test message from ${companyName}`,
      text: `This is a test. Whoever asked for it now knows that mail from ${companyName} arrives here.\n`,
    })) as { readonly message?: unknown };
    const { message } = made;
    if (!Buffer.isBuffer(message)) throw new Error('a test message was not made');
    if (smtp === undefined) {
      await this.eml.write(id, message);
      const words = 'written into the folder of mails, because SMTP_HOST is not set';
      return { messageId, isAccepted: true, steps: [{ stage: 'accepted', result: 'ok', words }] };
    }
    const dialogue = new SmtpDialogue(smtp, Math.min(TEST_WITHIN_MS, sendWithinMs));
    await dialogue.hold({ from: fromEmail, to, bytes: message });
    const { steps } = dialogue;
    return { messageId, isAccepted: hasStep(steps, 'accepted'), steps };
  }

  /** Many who ask at once share one connection. */
  private async checkServer(now: Date): Promise<MailServerCheck | null> {
    const { smtp } = this.config.mail;
    if (smtp === undefined) return null;
    if (this.latest === undefined || now.getTime() - this.latest.at.getTime() >= CHECK_IS_FRESH_FOR_MS)
      this.latest = { at: now, check: checkMailServer(smtp, this.config.mail.sendWithinMs, now) };
    return this.latest.check;
  }
}

/** What comes of a connection to the mail server now. Never throws for what it says, and hands it no message. */
export async function checkMailServer(
  smtp: NonNullable<Config['mail']['smtp']>,
  withinMs: number,
  checkedAt: Date,
): Promise<MailServerCheck> {
  const dialogue = new SmtpDialogue(smtp, Math.min(CHECK_WITHIN_MS, withinMs));
  await dialogue.hold();
  const { steps, tlsVersion } = dialogue;
  const failed = steps.find(({ result }) => result === 'failed');
  const signIn = steps.find(({ stage }) => stage === 'authenticated');
  return {
    host: smtp.host,
    port: smtp.port,
    checkedAt,
    isReachable: hasStep(steps, 'connected'),
    tlsVersion,
    isAuthenticated: signIn === undefined || signIn.result === 'skipped' ? null : signIn.result === 'ok',
    error: masked(failed?.words ?? null),
  };
}

function hasStep(steps: readonly SmtpStep[], stage: SmtpStep['stage']): boolean {
  return steps.some((step) => step.stage === stage && step.result === 'ok');
}

const masked = (words: string | null): string | null => (words === null ? null : maskEmails(words));

function withoutAddresses(outcomes: MailOutcomes): MailOutcomes {
  const { lastFailure } = outcomes;
  return lastFailure === null
    ? outcomes
    : { ...outcomes, lastFailure: { at: lastFailure.at, words: masked(lastFailure.words) } };
}
