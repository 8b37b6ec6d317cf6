import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { type Actor, apiKeyOf } from '../common/actor.js';
import { Clock } from '../common/clock.js';
import { type Tx, whenCommitted } from '../database/transactions.js';
import { AuditChain } from './audit-chain.js';
import { AuditEntry } from './audit-entry.entity.js';
import type { AuditEvent } from './audit-event.js';
import { AuditRepository } from './audit.repository.js';
import { SeldomEntries } from './seldom-entries.js';

export type { AuditEvent };

@Injectable()
export class AuditService {
  constructor(
    private readonly entries: AuditRepository,
    private readonly chain: AuditChain,
    private readonly seldom: SeldomEntries,
    private readonly clock: Clock,
  ) {}

  /** Commits with the change that it tells of. */
  async record(tx: Tx, actor: Actor, event: AuditEvent): Promise<void> {
    whenCommitted(tx, () => {
      this.chain.wake();
    });
    await this.entries.insert(tx, this.entryOf(actor, event));
  }

  /** For what changes nothing, such as a download: on the disk when this resolves. */
  async recordAlone(actor: Actor, event: AuditEvent): Promise<void> {
    await this.entries.insertAlone(this.entryOf(actor, event));
    this.chain.wake();
  }

  /**
   * For what strangers can cause as often as they like, such as refused sign-ins: one entry, and one with the number of
   * repetitions (`again`, `since`), per source, event and minute. Never throws.
   */
  async recordSeldom(actor: Actor, event: AuditEvent): Promise<void> {
    await this.seldom.add(actor, event, (...entry) => this.recordAlone(...entry));
  }

  private entryOf(actor: Actor, { outcome = 'done', details = {}, ...event }: AuditEvent): AuditEntry {
    const apiKeyId = apiKeyOf(actor);
    return Object.assign(new AuditEntry(), {
      id: randomUUID(),
      at: this.clock.now(),
      actorKind: actor.kind,
      actorId: actor.kind === 'user' ? actor.id : null,
      actorName: actor.kind === 'user' ? actor.username : actor.kind === 'system' ? actor.name : null,
      ip: actor.kind === 'system' ? null : actor.ip,
      requestId: actor.requestId ?? null,
      userAgent: actor.kind === 'system' ? null : (actor.userAgent ?? null),
      outcome,
      details: apiKeyId === undefined ? details : { ...details, api_key_id: apiKeyId },
      ...event,
    });
  }
}
