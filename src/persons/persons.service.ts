import { Injectable } from '@nestjs/common';
import type { Readable } from 'node:stream';
import type { Tx } from '../database/transactions.js';

/** Something that is a person's, such as a lead, by which other modules know what of theirs is about it. */
export interface Thing {
  readonly kind: string;
  readonly id: string;
  /** How records of others name it, such as a user name. */
  readonly name?: string;
  /** When it came to be. */
  readonly since?: Date;
}

/** Somebody, known by an e-mail address in lower case. */
export interface Person {
  readonly email: string;
  readonly things: readonly Thing[];
}

/** By which names records of others may tell of the person. */
export function namesOf({ things }: Person): string[] {
  return things.map(({ name }) => name).filter((name) => name !== undefined);
}

export interface PersonalRecord {
  readonly kind: string;
  /** As it is kept, without what only proves who somebody is (hashes, keys). */
  readonly data: Readonly<Record<string, unknown>>;
}

export interface PersonalFile {
  /** Its name in an export. */
  readonly name: string;
  readonly createdAt: Date;
  readonly sizeBytes: number;
  /** Its content, checked. Throws what reading it throws. */
  open(): Promise<Readable>;
}

/** What an erasure did to the rows of one module. */
export interface Erased {
  readonly rows: number;
  /** Ids of what is still to be removed after the commit, outside of the database. */
  readonly remains: readonly string[];
}

/**
 * What a module knows of persons. Each answers for its own tables alone; a test names the one that answers for each column
 * (test/privacy-columns.e2e-spec.ts).
 */
export interface PersonalData {
  /** Such as `leads`. */
  readonly name: string;
  /** What is theirs, of all of them; as the transaction sees it, if one is given. */
  thingsOf?(emails: readonly string[], tx?: Tx): Promise<Thing[]>;
  /** The same, locked until the transaction ends. Throws the refusal when these may not be erased. */
  lockThingsOf?(tx: Tx, email: string): Promise<Thing[]>;
  /** Addresses that something is known of, in lower case and in order: those after this one, at most so many. */
  addressesAfter?(address: string, most: number): Promise<string[]>;
  recordsOf(person: Person): Promise<PersonalRecord[]>;
  filesOf?(person: Person): Promise<PersonalFile[]>;
  /**
   * Removes every row about the person, or what in it is about them, and of things those that are given. Called again when
   * further things turn up.
   */
  erase(tx: Tx, person: Person): Promise<Erased>;
  /** Removes what an erasure left for later. Must bear to be called again for what is gone. */
  removeRemains?(ids: readonly string[]): Promise<void>;
}

/** Who knows something of persons. */
@Injectable()
export class PersonsService {
  private readonly registered: PersonalData[] = [];

  /** Call it before the application has started. */
  register(source: PersonalData): void {
    if (this.registered.some(({ name }) => name === source.name))
      throw new Error(`${source.name} is registered already`);
    this.registered.push(source);
  }

  get sources(): readonly PersonalData[] {
    return this.registered;
  }
}
