import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/transactions.js';
import { PersonsService, type Thing } from '../persons/persons.service.js';
import type { Erasure } from './erasure.entity.js';

/** Every row about a person, whichever module has it. */
@Injectable()
export class PersonRows {
  constructor(private readonly persons: PersonsService) {}

  /** What is the person's, locked until the transaction ends. Throws the refusal when it may not be erased. */
  async lockThings(tx: Tx, email: string): Promise<Thing[]> {
    const things: Thing[] = [];
    for (const source of this.persons.sources) things.push(...((await source.lockThingsOf?.(tx, email)) ?? []));
    return things;
  }

  /**
   * Erases them all. What somebody submits at this moment commits as a whole, unseen or seen: so after everything is erased it is
   * looked once more whether there is something new, which a part of it may have been erased of.
   */
  async erase(tx: Tx, email: string): Promise<Pick<Erasure, 'counts' | 'remains'>> {
    const counts: Record<string, number> = {};
    const remains: Record<string, string[]> = {};
    let things = await this.lockThings(tx, email);
    do {
      for (const source of this.persons.sources) {
        const { name } = source;
        const erased = await source.erase(tx, { email, things });
        if (erased.rows > 0) counts[name] = (counts[name] ?? 0) + erased.rows;
        if (erased.remains.length > 0) remains[name] = [...(remains[name] ?? []), ...erased.remains];
      }
      things = await this.lockThings(tx, email);
    } while (things.length > 0);
    return { counts, remains };
  }
}
