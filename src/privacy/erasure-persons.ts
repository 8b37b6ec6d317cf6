import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/transactions.js';
import {
  type Erased,
  namesOf,
  type Person,
  type PersonalData,
  type PersonalRecord,
} from '../persons/persons.service.js';
import { ErasuresRepository } from './erasures.repository.js';

/** Who asked for the erasures of others. A tombstone is no record of its person: by it they stay forgotten. */
@Injectable()
export class ErasurePersons implements PersonalData {
  readonly name = 'erasures';

  constructor(private readonly erasures: ErasuresRepository) {}

  recordsOf(): Promise<PersonalRecord[]> {
    return Promise.resolve([]);
  }

  async erase(tx: Tx, person: Person): Promise<Erased> {
    return { rows: await this.erasures.forgetNames(tx, namesOf(person)), remains: [] };
  }
}
