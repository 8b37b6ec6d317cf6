import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { SCHEDULED } from '../../jobs/scheduled.jobs.js';
import type { DueRows, HeldPersons, RetentionRule } from '../../persons/retention.service.js';
import { SessionsRepository } from './sessions.repository.js';

/** For how long somebody may still ask where a sign-in came from. `SessionSweep` removes them. */
@Injectable()
export class SessionRetention implements RetentionRule {
  readonly name = 'sessions';
  readonly setting = 'RETENTION_SESSIONS_DAYS';
  readonly doc = 'sessions that are over, with their refresh tokens';
  readonly job = SCHEDULED.forgetSessions.name;
  readonly days: number;

  constructor(
    private readonly sessions: SessionsRepository,
    @Inject(CONFIG) { privacy }: Config,
  ) {
    this.days = privacy.retention.sessionDays;
  }

  /** A session proves nothing that the record does not: those of persons on hold go as well. */
  preview(before: Date, _held: HeldPersons, most: number): Promise<DueRows> {
    return this.sessions.findOverBefore(before, most);
  }
}
