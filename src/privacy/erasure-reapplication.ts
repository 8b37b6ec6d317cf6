import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { type Actor, nameOf } from '../common/actor.js';
import { Clock } from '../common/clock.js';
import { Transactions } from '../database/transactions.js';
import { JobsService } from '../jobs/jobs.service.js';
import { LegalHoldsService } from '../persons/legal-holds.service.js';
import { PersonIsStaff, PersonOnHold } from '../persons/persons.errors.js';
import { PersonsService } from '../persons/persons.service.js';
import type { ErasureNote } from './erasure-note.js';
import type { Erasure } from './erasure.entity.js';
import { ErasuresRepository } from './erasures.repository.js';
import { PersonKey } from './person-key.js';
import { PersonRows } from './person-rows.js';
import { COMPLETE_ERASURE } from './privacy.jobs.js';

const ADDRESSES_AT_A_TIME = 2000;

/**
 * known: the database has the tombstone · erased: whoever was back is forgotten again · absent: nobody of theirs was back ·
 * held, staff: may not be erased · returned: has come anew since the erasure · kept: stays, because an operator said so
 */
export type Reapplied = 'known' | 'erased' | 'absent' | 'held' | 'staff' | 'returned' | 'kept';

export interface ReapplyOptions {
  /** Says what would be done. */
  readonly isDryRun: boolean;
  /** Forgets also who has come anew since. */
  readonly includesReturned: boolean;
  /** Ids of erasures that are not done again. */
  readonly kept: ReadonlySet<string>;
}

const ACTIONS = { absent: 'person.erasure_noted', kept: 'person.erasure_waived' };

/** Whoever is erased came after the note was written. Undoes the transaction. */
class PersonReturned extends Error {}
/** Undoes the transaction of a dry run. */
class OnlyTried extends Error {
  constructor(readonly outcome: Reapplied) {
    super();
  }
}

/** Erasures that a restored database does not know of, done again. */
@Injectable()
export class ErasureReapplication {
  constructor(
    private readonly erasures: ErasuresRepository,
    private readonly persons: PersonsService,
    private readonly rows: PersonRows,
    private readonly holds: LegalHoldsService,
    private readonly key: PersonKey,
    private readonly jobs: JobsService,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /**
   * Gives what became of each note, in their order. Each is done in a transaction of its own, and whether it was is told by its
   * tombstone: cut off anywhere, the next run goes on.
   */
  async *run(
    actor: Actor,
    notes: readonly ErasureNote[],
    options: ReapplyOptions,
  ): AsyncGenerator<readonly [note: ErasureNote, outcome: Reapplied]> {
    const unknown = new Set(await this.erasures.unknownOf(notes.map(({ id }) => id)));
    const addresses = await this.addressesOf(notes.filter(({ id }) => unknown.has(id)));
    for (const note of notes) {
      const isKnown = !unknown.has(note.id);
      yield [note, isKnown ? 'known' : await this.reapply(actor, note, addresses.get(note.person), options)];
    }
  }

  private async reapply(
    actor: Actor,
    note: ErasureNote,
    email: string | undefined,
    options: ReapplyOptions,
  ): Promise<Reapplied> {
    try {
      if (options.kept.has(note.id)) return await this.restoreTombstone(actor, note, 'kept', options);
      return email === undefined
        ? await this.restoreTombstone(actor, note, 'absent', options)
        : await this.eraseAgain(actor, note, email, options);
    } catch (error) {
      if (error instanceof OnlyTried) return error.outcome;
      if (error instanceof PersonOnHold) return 'held';
      if (error instanceof PersonIsStaff) return 'staff';
      if (error instanceof PersonReturned) return 'returned';
      throw error;
    }
  }

  /** Nothing is erased: there is nothing, or it is to stay. */
  private async restoreTombstone(
    actor: Actor,
    note: ErasureNote,
    outcome: 'absent' | 'kept',
    { isDryRun }: ReapplyOptions,
  ): Promise<Reapplied> {
    if (isDryRun) return outcome;
    const { id, person, reason } = note;
    await this.transactions.run(actor, async (tx) => {
      const erasure = { ...this.tombstoneOf(actor, note), counts: {}, remains: {}, completedAt: this.clock.now() };
      if (!(await this.erasures.insertUnlessThere(tx, erasure))) return;
      const event = { targetKind: 'erasure', targetId: id, details: { person, reason } };
      await this.audit.record(tx, actor, { action: ACTIONS[outcome], ...event });
    });
    return outcome;
  }

  private async eraseAgain(
    actor: Actor,
    note: ErasureNote,
    email: string,
    { isDryRun, includesReturned }: ReapplyOptions,
  ): Promise<Reapplied> {
    const { id, person, reason, requestedAt } = note;
    return this.transactions.run<Reapplied>(actor, async (tx) => {
      await this.holds.beginDeletion(tx, email);
      const things = await this.rows.lockThings(tx, email);
      if (!includesReturned && things.some(({ since }) => since !== undefined && since > requestedAt))
        throw new PersonReturned();
      const { counts, remains } = await this.rows.erase(tx, email);
      const erasure: Erasure = { ...this.tombstoneOf(actor, note), counts, remains, completedAt: null };
      if (!(await this.erasures.insertUnlessThere(tx, erasure))) throw new OnlyTried('known');
      if (isDryRun) throw new OnlyTried('erased');
      await this.jobs.enqueue(tx, COMPLETE_ERASURE, [{ erasure_id: id }]);
      await this.audit.record(tx, actor, {
        action: 'person.erased_again',
        targetKind: 'erasure',
        targetId: id,
        details: { person, reason, counts },
      });
      return 'erased';
    });
  }

  /** As it was, save that whoever asked for it is not in the note. */
  private tombstoneOf(
    actor: Actor,
    { id, person, reason, requestedAt }: ErasureNote,
  ): Omit<Erasure, 'counts' | 'remains' | 'completedAt'> {
    return { id, person, reason, requestedAt, requestedBy: nameOf(actor), requestedById: null };
  }

  /** Whom notes are about, by what stands for them: found among all addresses that anything is known of. */
  private async addressesOf(notes: readonly ErasureNote[]): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    const wanted = new Set(notes.map(({ person }) => person));
    if (wanted.size === 0) return found;
    for (const source of this.persons.sources) {
      if (source.addressesAfter === undefined) continue;
      let last = '';
      for (;;) {
        const some = await source.addressesAfter(last, ADDRESSES_AT_A_TIME);
        for (const address of some)
          for (const person of await this.key.allOf(address)) if (wanted.has(person)) found.set(person, address);
        if (some.length < ADDRESSES_AT_A_TIME) break;
        last = some.at(-1) ?? '';
      }
    }
    return found;
  }
}
