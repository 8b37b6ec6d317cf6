import { Injectable } from '@nestjs/common';
import { type Counter, type Histogram, Metrics } from '../common/metrics.js';
import type { FailureKind } from './delivery-failure.js';
import type { MailMessage } from './mail-message.entity.js';

const OUTCOMES = ['sent', 'refused', 'postponed', 'outage'];
const REASONS = ['suppressed', 'switched_off'] as const;
const BUCKETS_SECONDS = [1, 2, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400];

/** How the attempts of this process end. Told of what is on record. */
@Injectable()
export class MailMetrics {
  private readonly attempts: Counter<'outcome'>;
  private readonly givenUp: Counter;
  private readonly unsent: Counter<'reason'>;
  private readonly delays: Histogram;

  constructor(metrics: Metrics) {
    this.attempts = metrics.counter('forecourt_mail_attempts_total', 'Attempts to deliver a mail', {
      outcome: OUTCOMES,
    });
    this.givenUp = metrics.counter('forecourt_mail_given_up_total', 'Mails that are not tried any more');
    this.unsent = metrics.counter(
      'forecourt_mail_unsent_total',
      'Mails that were not tried: their recipient refuses for good, or mail is switched off',
      { reason: REASONS },
    );
    this.delays = metrics.histogram(
      'forecourt_mail_delay_seconds',
      'From owing a mail to the yes of the mail server',
      BUCKETS_SECONDS,
    );
  }

  countSent({ sentAt, owedSince }: MailMessage): void {
    this.attempts.inc({ outcome: 'sent' });
    if (sentAt !== null) this.delays.observe(Math.max(0, sentAt.getTime() - owedSince.getTime()) / 1000);
  }

  /** Of a message that was not tried. */
  countUnsent(reason: (typeof REASONS)[number]): void {
    this.unsent.inc({ reason });
  }

  countFailure(outcome: FailureKind, isGivenUp: boolean): void {
    this.attempts.inc({ outcome });
    if (isGivenUp) this.givenUp.inc();
  }
}
