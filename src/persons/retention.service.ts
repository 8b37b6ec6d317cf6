import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/transactions.js';
import type { Thing } from './persons.service.js';

/** About whom nothing may be removed. */
export interface HeldPersons {
  /** In lower case. */
  readonly emails: readonly string[];
  /** What is theirs. */
  readonly things: readonly Thing[];
}

/** What a rule would remove. */
export interface DueRows {
  readonly count: number;
  /** Since when the oldest has only been kept; null when there is none. */
  readonly oldest: Date | null;
  /** Of the oldest, in order. */
  readonly ids: readonly string[];
}

/** How long a kind of rows is kept. */
export interface RetentionRule {
  /** Such as `leads`. */
  readonly name: string;
  /** That says the days. */
  readonly setting: string;
  /** Null means: for ever. */
  readonly days: number | null;
  /** What it removes, for operators. */
  readonly doc: string;
  /** Just what is removed by a run at this moment, and the ids of at most so many. */
  preview(before: Date, held: HeldPersons, most: number): Promise<DueRows>;
  /**
   * Removes at most so many, oldest first, and returns how many. Passes over what somebody else is changing. Absent where a job of
   * its own does it.
   */
  removeSome?(tx: Tx, before: Date, held: HeldPersons, most: number): Promise<number>;
  /** The job that removes them. */
  readonly job: string;
}

/** How long what is kept. */
@Injectable()
export class RetentionService {
  private readonly registered: RetentionRule[] = [];

  /** Call it before the application has started. */
  register(rule: RetentionRule): void {
    if (this.registered.some(({ name }) => name === rule.name)) throw new Error(`${rule.name} is registered already`);
    this.registered.push(rule);
  }

  get rules(): readonly RetentionRule[] {
    return this.registered;
  }
}
