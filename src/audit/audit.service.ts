import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { Actor } from '../common/actor.js';
import { Clock } from '../common/clock.js';
import type { Tx } from '../database/transactions.js';
import { AuditEntry, type AuditOutcome } from './audit-entry.entity.js';
import { AuditRepository } from './audit.repository.js';

/** What happened, beside who did it and when. */
export interface AuditEvent {
  /** Such as `lead.resume_downloaded`. */
  readonly action: string;
  readonly targetKind: string;
  readonly targetId: string | null;
  readonly outcome?: AuditOutcome;
  /** Ids, codes and numbers; no personal data. */
  readonly details?: Readonly<Record<string, unknown>>;
}

@Injectable()
export class AuditService {
  constructor(
    private readonly entries: AuditRepository,
    private readonly clock: Clock,
  ) {}

  /** Commits with the change that it tells of. */
  async record(tx: Tx, actor: Actor, event: AuditEvent): Promise<void> {
    await this.entries.insert(tx, this.entryOf(actor, event));
  }

  /** For what changes nothing, such as a download: on the disk when this resolves. */
  async recordAlone(actor: Actor, event: AuditEvent): Promise<void> {
    await this.entries.insertAlone(this.entryOf(actor, event));
  }

  private entryOf(actor: Actor, { outcome = 'done', details = {}, ...event }: AuditEvent): AuditEntry {
    return Object.assign(new AuditEntry(), {
      id: randomUUID(),
      at: this.clock.now(),
      actorKind: actor.kind,
      actorId: actor.kind === 'user' ? actor.id : null,
      actorName: actor.kind === 'user' ? actor.username : actor.kind === 'system' ? actor.name : null,
      ip: actor.kind === 'system' ? null : actor.ip,
      requestId: actor.kind === 'system' ? null : actor.requestId,
      outcome,
      details,
      ...event,
    });
  }
}
