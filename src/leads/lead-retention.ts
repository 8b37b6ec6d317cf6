import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import type { Tx } from '../database/transactions.js';
import { SCHEDULED } from '../jobs/scheduled.jobs.js';
import type { DueRows, HeldPersons, RetentionRule } from '../persons/retention.service.js';
import { LeadRemoval } from './lead-removal.js';
import { LeadsRepository } from './leads.repository.js';

/** How long leads are kept that nobody has to do anything about any more. */
@Injectable()
export class LeadRetention implements RetentionRule {
  readonly name = 'leads';
  readonly setting = 'RETENTION_LEADS_DAYS';
  readonly doc = 'leads that were reached and not touched since, with their stories, mails and résumés';
  readonly job = SCHEDULED.retain.name;
  readonly days: number | null;

  constructor(
    private readonly leads: LeadsRepository,
    private readonly removal: LeadRemoval,
    @Inject(CONFIG) { privacy }: Config,
  ) {
    this.days = privacy.retention.leadDays || null;
  }

  preview(before: Date, { emails }: HeldPersons, most: number): Promise<DueRows> {
    return this.leads.findUntouched(before, emails, most);
  }

  removeSome(tx: Tx, before: Date, { emails }: HeldPersons, most: number): Promise<number> {
    return this.removal.removeUntouched(tx, before, emails, most);
  }
}
