import { Injectable } from '@nestjs/common';
import { BaseRepository } from '../database/base.repository.js';
import { Database } from '../database/database.js';
import { AuditEntry } from './audit-entry.entity.js';

@Injectable()
export class AuditRepository extends BaseRepository<AuditEntry> {
  constructor(database: Database) {
    super(database, AuditEntry);
  }

  /** Outside of any transaction: one statement, on the disk when this resolves. */
  async insertAlone(entry: AuditEntry): Promise<void> {
    const { text, values } = this.insertion(entry);
    await this.database.read(text, values);
  }
}
