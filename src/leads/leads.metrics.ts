import { Injectable } from '@nestjs/common';
import { type Counter, type Histogram, Metrics } from '../common/metrics.js';
import { LeadStatus } from './lead-status.js';
import type { Lead } from './lead.entity.js';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const BUCKETS_SECONDS = [
  5 * MINUTE,
  15 * MINUTE,
  HOUR / 2,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  8 * HOUR,
  DAY,
  2 * DAY,
  3 * DAY,
  7 * DAY,
];

/** What came in, and what became of it. Told of what has committed. */
@Injectable()
export class LeadsMetrics {
  private readonly created: Counter;
  private readonly moves: Counter<'from' | 'to'>;
  private readonly firstContacts: Histogram;

  constructor(metrics: Metrics) {
    this.created = metrics.counter('forecourt_leads_created_total', 'Submissions that were taken');
    this.moves = metrics.counter('forecourt_lead_moves_total', 'Leads that were moved to another status', {
      from: Object.values(LeadStatus),
      to: Object.values(LeadStatus),
    });
    this.firstContacts = metrics.histogram(
      'forecourt_lead_first_contact_seconds',
      'From a submission to the first time that it was marked as reached out to',
      BUCKETS_SECONDS,
    );
  }

  countCreated(): void {
    this.created.inc();
  }

  countMove({ status, createdAt, updatedAt }: Lead, from: LeadStatus, isFirstMove: boolean): void {
    this.moves.inc({ from, to: status });
    if (isFirstMove && status === LeadStatus.ReachedOut)
      this.firstContacts.observe((updatedAt.getTime() - createdAt.getTime()) / 1000);
  }
}
