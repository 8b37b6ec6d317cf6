import { Injectable } from '@nestjs/common';
import { BaseRepository } from '../database/base.repository.js';
import { Database } from '../database/database.js';
import { LeadStatusChange } from './lead-status-change.entity.js';

@Injectable()
export class LeadStatusChangesRepository extends BaseRepository<LeadStatusChange> {
  constructor(database: Database) {
    super(database, LeadStatusChange);
  }

  /** A lead's whole story, oldest first. */
  async listOf(leadId: string): Promise<LeadStatusChange[]> {
    return this.list('t.lead_id = $1 ORDER BY t.changed_at, t.id', [leadId]);
  }
}
