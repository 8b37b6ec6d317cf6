import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/transactions.js';
import type { Erased, Person, PersonalData, PersonalRecord } from '../persons/persons.service.js';
import { AuthPersonsRepository } from './auth-persons.repository.js';

/** What signing in knows of a person. What belongs to their account goes with the account; the rest is named by their address. */
@Injectable()
export class AuthPersons implements PersonalData {
  readonly name = 'auth';

  constructor(private readonly persons: AuthPersonsRepository) {}

  async recordsOf({ email, things }: Person): Promise<PersonalRecord[]> {
    const userIds = things.filter(({ kind }) => kind === 'user').map(({ id }) => id);
    const found = await this.persons.recordsOf(email, userIds);
    return found.map(({ kind, data }) => ({ kind, data }));
  }

  addressesAfter(address: string, most: number): Promise<string[]> {
    return this.persons.addressesAfter(address, most);
  }

  async erase(tx: Tx, { email }: Person): Promise<Erased> {
    return { rows: await this.persons.removeByAddress(tx, email), remains: [] };
  }
}
