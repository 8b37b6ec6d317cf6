import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { Clock } from '../common/clock.js';
import { LOGGER } from '../common/logging.js';
import { type Cause, Transactions, type Tx, whenCommitted } from '../database/transactions.js';
import { JobsService } from '../jobs/jobs.service.js';
import { Alert } from './alert.entity.js';
import { CONFIG, type Config } from '../config/config.js';
import { CALL_WEBHOOK, TELL_ALERT } from './alerts.jobs.js';
import { AlertsMetrics } from './alerts.metrics.js';
import { AlertsRepository } from './alerts.repository.js';

export type { Alert };

/** What an operator should look at. */
export interface AlertEvent {
  /** Such as `file.infected`; of the same cause operators hear once an hour. */
  readonly cause: string;
  /** One sentence for a person, without personal data. */
  readonly summary: string;
  /** Ids, codes and numbers. */
  readonly details?: Readonly<Record<string, unknown>>;
}

const HOUR_MS = 3_600_000;

@Injectable()
export class AlertsService {
  private readonly logger: Logger;

  constructor(
    private readonly alerts: AlertsRepository,
    private readonly jobs: JobsService,
    private readonly transactions: Transactions,
    private readonly metrics: AlertsMetrics,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'alerts' });
  }

  /** Commits with what it tells of. Within an hour of the last alert of this cause it is only counted. */
  async raise(tx: Tx, { cause, summary, details = {} }: AlertEvent): Promise<void> {
    const now = this.clock.now();
    await this.alerts.lockCause(tx, cause);
    if (await this.alerts.countAgain(tx, cause, new Date(now.getTime() - HOUR_MS))) return;
    const alert = Object.assign(new Alert(), {
      id: randomUUID(),
      cause,
      summary,
      details,
      raisedAt: now,
      occurrences: 1,
    });
    await this.alerts.insert(tx, alert);
    await this.jobs.enqueue(tx, TELL_ALERT, [{ alert_id: alert.id }]);
    if (this.config.alerts.webhook !== undefined) await this.jobs.enqueue(tx, CALL_WEBHOOK, [{ alert_id: alert.id }]);
    whenCommitted(tx, () => {
      this.metrics.countRaised();
      this.logger.error({ alert_id: alert.id, cause, details }, summary);
    });
  }

  /** For what changes nothing by itself. Never throws: whoever has trouble to tell of has enough of it. */
  async raiseAlone(event: AlertEvent, cause: Cause = {}): Promise<void> {
    try {
      await this.transactions.run(cause, (tx) => this.raise(tx, event));
    } catch (error) {
      this.logger.error({ cause: event.cause, err: error }, 'an alert could not be raised');
    }
  }

  /** Null when there is no such alert. */
  async find(id: string): Promise<Alert | null> {
    return this.alerts.findById(id);
  }
}
