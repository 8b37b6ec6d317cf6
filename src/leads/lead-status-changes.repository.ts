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
    const rows = await this.database.read<object>(
      `SELECT ${this.mapping.selection} FROM lead_status_changes AS t WHERE t.lead_id = $1 ORDER BY t.changed_at, t.id`,
      [leadId],
    );
    return rows.map((row) => this.toEntity(row));
  }
}
