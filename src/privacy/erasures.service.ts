import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { AuditService } from '../audit/audit.service.js';
import { type Actor, nameOf } from '../common/actor.js';
import { Clock } from '../common/clock.js';
import { LOGGER } from '../common/logging.js';
import type { Rows } from '../common/pagination.js';
import { type Cause, Transactions } from '../database/transactions.js';
import { JobsService } from '../jobs/jobs.service.js';
import { LegalHoldsService } from '../persons/legal-holds.service.js';
import { PersonsService } from '../persons/persons.service.js';
import type { Erasure, ErasureReason } from './erasure.entity.js';
import { ErasuresRepository } from './erasures.repository.js';
import { ErasureNotes } from './erasure-notes.js';
import { PersonKey } from './person-key.js';
import { PersonRows } from './person-rows.js';
import { ErasureNotFound, PersonNotFound } from './privacy.errors.js';
import { COMPLETE_ERASURE } from './privacy.jobs.js';

const ACTOR = { kind: 'system', name: 'privacy' } as const;

/**
 * Forgets persons. All rows go in one transaction, with the keys of their files; the bytes, which say nothing any more, are
 * removed by a job that goes on wherever it died.
 */
@Injectable()
export class ErasuresService {
  private readonly logger: Logger;

  constructor(
    private readonly erasures: ErasuresRepository,
    private readonly persons: PersonsService,
    private readonly rows: PersonRows,
    private readonly notes: ErasureNotes,
    private readonly holds: LegalHoldsService,
    private readonly key: PersonKey,
    private readonly jobs: JobsService,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'privacy' });
  }

  /**
   * Forgets somebody, and returns the tombstone; of somebody who is forgotten already, the one that there is. Of any number at
   * once one does it. Throws `PersonOnHold`, `PersonIsStaff`, and `PersonNotFound` when nothing was ever known.
   */
  async erase(actor: Actor, email: string, reason: ErasureReason): Promise<Erasure> {
    const [hashes, person] = [await this.key.allOf(email), await this.key.of(email)];
    return this.transactions.run(actor, async (tx) => {
      await this.holds.beginDeletion(tx, email);
      const { counts, remains } = await this.rows.erase(tx, email);
      if (Object.keys(counts).length === 0) {
        const known = await this.erasures.findLatestIn(tx, hashes);
        if (known === null) throw new PersonNotFound();
        return known;
      }
      const erasure: Erasure = {
        id: randomUUID(),
        person,
        reason,
        requestedAt: this.clock.now(),
        requestedBy: nameOf(actor),
        requestedById: actor.kind === 'user' ? actor.id : null,
        counts,
        remains,
        completedAt: null,
      };
      await this.erasures.insert(tx, erasure);
      await this.jobs.enqueue(tx, COMPLETE_ERASURE, [{ erasure_id: erasure.id }]);
      await this.audit.record(tx, actor, {
        action: 'person.erased',
        targetKind: 'erasure',
        targetId: erasure.id,
        details: { person, reason, counts },
      });
      return erasure;
    });
  }

  /** The job. Running it twice does no harm: what is gone is gone, and a completed erasure has nothing left. */
  async complete(cause: Cause, id: string): Promise<void> {
    const erasure = await this.erasures.findById(id);
    if (erasure === null || erasure.completedAt !== null) return;
    for (const source of this.persons.sources) {
      const ids = erasure.remains[source.name] ?? [];
      if (ids.length > 0) await source.removeRemains?.(ids);
    }
    // after what is promised to the person, and before it is said to be complete: a database that is lost takes the tombstone along
    await this.notes.keep(erasure);
    const { requestId } = cause;
    await this.transactions.run(cause, async (tx) => {
      if (!(await this.erasures.complete(tx, id, this.clock.now()))) return;
      const event = { action: 'person.erasure_completed', targetKind: 'erasure', targetId: id };
      await this.audit.record(tx, { ...ACTOR, requestId }, event);
    });
    const line = { erasure_id: id, request_id: requestId ?? undefined, person: erasure.person, reason: erasure.reason };
    this.logger.info(line, 'a person was erased');
  }

  /** Throws `ErasureNotFound`. */
  async get(id: string): Promise<Erasure> {
    const erasure = await this.erasures.findById(id);
    if (erasure === null) throw new ErasureNotFound();
    return erasure;
  }

  /** Latest first. */
  async list(page: number, size: number): Promise<Rows<Erasure>> {
    return this.erasures.listPage(page, size);
  }

  /** Those of somebody, latest first. */
  async listOf(email: string): Promise<Erasure[]> {
    return this.erasures.listOf(await this.key.allOf(email));
  }
}
