import { Injectable } from '@nestjs/common';
import { Readable } from 'node:stream';
import { type Actor, readerOf } from '../common/actor.js';
import type { Rows } from '../common/pagination.js';
import type { AuditEntry } from './audit-entry.entity.js';
import { type AuditExportFormat, headOf, lineOf } from './audit-export.js';
import { type AuditFilter, type AuditPlace, AuditRepository } from './audit.repository.js';
import { AuditService } from './audit.service.js';

const MOST_AT_ONCE = 500;

/** The record in the hands of an admin. */
@Injectable()
export class AuditReader {
  constructor(
    private readonly entries: AuditRepository,
    private readonly audit: AuditService,
  ) {}

  /** Newest first. */
  async list(actor: Actor, filter: AuditFilter, page: number, size: number): Promise<Rows<AuditEntry>> {
    return this.entries.listMatching(filter, { page, size, reader: readerOf(actor) });
  }

  /** All that match, newest first, as a stream; on record before its first byte. */
  async export(actor: Actor, format: AuditExportFormat, filter: AuditFilter): Promise<Readable> {
    await this.audit.recordAlone(actor, {
      action: 'audit.exported',
      targetKind: 'audit_entries',
      targetId: null,
      details: { format, ...filter },
    });
    return Readable.from(this.write(format, filter, readerOf(actor)), { objectMode: false });
  }

  /** Read page by page, at the pace of whoever takes it: a slow client holds neither a connection nor a snapshot. */
  private async *write(
    format: AuditExportFormat,
    filter: AuditFilter,
    reader: string | undefined,
  ): AsyncGenerator<string> {
    let last: AuditPlace | undefined;
    let text = headOf(format);
    for (;;) {
      const entries = await this.entries.listOlder(filter, { than: last, most: MOST_AT_ONCE, reader });
      text += entries.map((entry) => lineOf(format, entry)).join('');
      if (text !== '') yield text;
      text = '';
      if (entries.length < MOST_AT_ONCE) return;
      if (last === undefined) await this.entries.keepUp(reader);
      last = entries.at(-1);
    }
  }
}
