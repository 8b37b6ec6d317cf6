import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { type Actor, nameOf } from '../common/actor.js';
import { Clock } from '../common/clock.js';
import type { Rows } from '../common/pagination.js';
import type { Tx } from '../database/transactions.js';
import type { LegalHold } from './legal-hold.entity.js';
import { LegalHoldsRepository } from './legal-holds.repository.js';
import { HoldNotFound, PersonOnHold } from './persons.errors.js';
import { type Erased, namesOf, type Person, type PersonalData, type PersonalRecord } from './persons.service.js';

export type { LegalHold };

/** Who may not be forgotten yet. */
@Injectable()
export class LegalHoldsService implements PersonalData {
  readonly name = 'holds';

  constructor(
    private readonly holds: LegalHoldsRepository,
    private readonly clock: Clock,
  ) {}

  /**
   * Call it first in every transaction that deletes what is about somebody: from then on until the transaction ends nobody is
   * put on hold unseen. Throws `PersonOnHold`.
   */
  async beginDeletion(tx: Tx, email: string): Promise<void> {
    await this.holds.lockPerson(tx, email);
    if (await this.holds.isHeld(tx, email)) throw new PersonOnHold();
  }

  /**
   * Call it first in a transaction that deletes what is about many persons: from then on until it ends nobody is put on hold, and
   * no other such transaction begins. Returns about whom nothing may be deleted.
   */
  async freeze(tx: Tx): Promise<string[]> {
    await this.holds.lockAll(tx);
    return this.holds.heldEmailsIn(tx);
  }

  /** Who is on hold at this moment. */
  async heldEmails(): Promise<string[]> {
    return this.holds.heldEmails();
  }

  /** Holds somebody, whether or not anything is known of them. Throws `AlreadyOnHold`. */
  async place(tx: Tx, actor: Actor, { email, reason }: Pick<LegalHold, 'email' | 'reason'>): Promise<LegalHold> {
    await this.holds.lockPerson(tx, email);
    await this.holds.waitForAll(tx);
    const placed = { placedAt: this.clock.now(), placedBy: nameOf(actor), liftedAt: null, liftedBy: null };
    const hold = { id: randomUUID(), email, reason, ...placed };
    await this.holds.insert(tx, hold);
    return hold;
  }

  /** Holds whoever is on hold under their new address as well. Call it in the transaction that changes it; both in lower case. */
  async carryOver(tx: Tx, from: string, to: string): Promise<void> {
    const held = await this.freeze(tx);
    if (held.includes(from) && !held.includes(to)) await this.holds.copyOpen(tx, from, to, randomUUID());
  }

  /** Throws `HoldNotFound`. */
  async lift(tx: Tx, actor: Actor, id: string): Promise<void> {
    if (!(await this.holds.lift(tx, id, nameOf(actor), this.clock.now()))) throw new HoldNotFound();
  }

  async list(page: number, size: number, isLifted: boolean | undefined): Promise<Rows<LegalHold>> {
    return this.holds.listPage(page, size, isLifted);
  }

  async isHeld(email: string): Promise<boolean> {
    return (await this.holds.listOf(email)).some(({ liftedAt }) => liftedAt === null);
  }

  addressesAfter(address: string, most: number): Promise<string[]> {
    return this.holds.addressesAfter(address, most);
  }

  async recordsOf({ email }: Person): Promise<PersonalRecord[]> {
    return (await this.holds.listOf(email)).map((hold) => ({
      kind: 'legal_hold',
      data: { id: hold.id, reason: hold.reason, placed_at: hold.placedAt, lifted_at: hold.liftedAt },
    }));
  }

  async erase(tx: Tx, person: Person): Promise<Erased> {
    const own = await this.holds.removeOf(tx, person.email);
    return { rows: own + (await this.holds.forgetNames(tx, namesOf(person))), remains: [] };
  }
}
