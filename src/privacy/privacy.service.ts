import { Injectable } from '@nestjs/common';
import type { Readable } from 'node:stream';
import { AuditService } from '../audit/audit.service.js';
import type { Actor } from '../common/actor.js';
import { Clock } from '../common/clock.js';
import { AppError } from '../common/errors.js';
import type { Rows } from '../common/pagination.js';
import { Transactions } from '../database/transactions.js';
import { type LegalHold, LegalHoldsService } from '../persons/legal-holds.service.js';
import { type Person, type PersonalFile, type PersonalRecord, PersonsService } from '../persons/persons.service.js';
import type { Erasure } from './erasure.entity.js';
import { ErasuresService } from './erasures.service.js';
import { archiveOf } from './person-archive.js';
import { PersonKey } from './person-key.js';

/** All that is known of somebody. */
export interface FoundPerson {
  readonly email: string;
  readonly isHeld: boolean;
  /** Those of an address that came back after it was forgotten. */
  readonly erasures: readonly Erasure[];
  /** By the name of who knows it; nobody who knows nothing. */
  readonly records: Readonly<Record<string, readonly PersonalRecord[]>>;
}

/** What there is to know of persons, and who may not be forgotten. Every look is on record, by what stands for the person. */
@Injectable()
export class PrivacyService {
  constructor(
    private readonly persons: PersonsService,
    private readonly holds: LegalHoldsService,
    private readonly erasures: ErasuresService,
    private readonly key: PersonKey,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /** Finds nothing of somebody who is not known. */
  async find(actor: Actor, email: string): Promise<FoundPerson> {
    const found = await this.look(email, await this.personOf(email));
    await this.record(actor, 'person.found', email);
    return found;
  }

  /**
   * A ZIP, on record before a byte of it leaves. A file that cannot be read now is not in it, and `files_left_out` of its JSON
   * says why.
   */
  async export(actor: Actor, email: string): Promise<Readable> {
    const person = await this.personOf(email);
    const { whole, leftOut } = await this.filesOf(person);
    const found = await this.look(email, person);
    const madeAt = this.clock.now();
    const json = JSON.stringify(
      {
        format: 'forecourt person 1',
        email,
        exported_at: madeAt,
        is_held: found.isHeld,
        records: found.records,
        files_left_out: leftOut,
      },
      undefined,
      2,
    );
    await this.record(actor, 'person.exported', email, { files: whole.length, left_out: leftOut.length });
    return archiveOf(json, madeAt, whole);
  }

  /** Throws `AlreadyOnHold`. */
  async hold(actor: Actor, email: string, reason: string): Promise<LegalHold> {
    const person = await this.key.of(email);
    return this.transactions.run(actor, async (tx) => {
      const hold = await this.holds.place(tx, actor, { email, reason });
      const target = { targetKind: 'legal_hold', targetId: hold.id };
      await this.audit.record(tx, actor, { action: 'person.held', ...target, details: { person } });
      return hold;
    });
  }

  /** Throws `HoldNotFound`. */
  async lift(actor: Actor, id: string): Promise<void> {
    await this.transactions.run(actor, async (tx) => {
      await this.holds.lift(tx, actor, id);
      await this.audit.record(tx, actor, { action: 'person.hold_lifted', targetKind: 'legal_hold', targetId: id });
    });
  }

  /** On record, because it names persons. */
  async listHolds(actor: Actor, page: number, size: number, isLifted: boolean | undefined): Promise<Rows<LegalHold>> {
    const found = await this.holds.list(page, size, isLifted);
    await this.audit.recordSeldom(actor, { action: 'person.holds_listed', targetKind: 'legal_hold', targetId: null });
    return found;
  }

  private async personOf(email: string): Promise<Person> {
    const things = await Promise.all(this.persons.sources.map(async (source) => source.thingsOf?.([email]) ?? []));
    return { email, things: things.flat() };
  }

  private async look(email: string, person: Person): Promise<FoundPerson> {
    const [isHeld, erasures] = [await this.holds.isHeld(email), await this.erasures.listOf(email)];
    const records: Record<string, readonly PersonalRecord[]> = {};
    for (const source of this.persons.sources) {
      const known = await source.recordsOf(person);
      if (known.length > 0) records[source.name] = known;
    }
    return { email, isHeld, erasures, records };
  }

  /** Each file is read once beforehand: an archive that breaks off helps nobody. */
  private async filesOf(
    person: Person,
  ): Promise<{ readonly whole: PersonalFile[]; readonly leftOut: { name: string; error_code: string }[] }> {
    const whole: PersonalFile[] = [];
    const leftOut: { name: string; error_code: string }[] = [];
    for (const source of this.persons.sources)
      for (const file of (await source.filesOf?.(person)) ?? []) {
        try {
          (await file.open()).destroy();
          whole.push(file);
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          leftOut.push({ name: file.name, error_code: error.code });
        }
      }
    return { whole, leftOut };
  }

  private async record(actor: Actor, action: string, email: string, details: object = {}): Promise<void> {
    const person = await this.key.of(email);
    await this.audit.recordAlone(actor, {
      action,
      targetKind: 'person',
      targetId: null,
      details: { person, ...details },
    });
  }
}
