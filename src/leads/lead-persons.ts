import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/transactions.js';
import type { Erased, Person, PersonalData, PersonalRecord, Thing } from '../persons/persons.service.js';
import { LeadPersonsRepository } from './lead-persons.repository.js';

/** What leads know of a person: that they asked for help, and what they did to leads if they worked here once. */
@Injectable()
export class LeadPersons implements PersonalData {
  readonly name = 'leads';

  constructor(private readonly persons: LeadPersonsRepository) {}

  async thingsOf(emails: readonly string[], tx?: Tx): Promise<Thing[]> {
    return (await this.persons.idsOf(emails, tx)).map((id) => ({ kind: 'lead', id }));
  }

  async lockThingsOf(tx: Tx, email: string): Promise<Thing[]> {
    return (await this.persons.lockOf(tx, email)).map((lead) => ({ kind: 'lead', ...lead }));
  }

  addressesAfter(address: string, most: number): Promise<string[]> {
    return this.persons.addressesAfter(address, most);
  }

  async recordsOf({ email }: Person): Promise<PersonalRecord[]> {
    const [leads, changes, consents] = await Promise.all([
      this.persons.leadsOf(email),
      this.persons.changesOf(email),
      this.persons.consentsOf(email),
    ]);
    return [
      ...leads.map((data) => ({ kind: 'lead', data })),
      ...changes.map((data) => ({ kind: 'lead_status_change', data })),
      ...consents.map((data) => ({ kind: 'lead_consent', data })),
    ];
  }

  /** Only the leads that are known to all by now: one that comes in meanwhile has mails and a file as well. */
  async erase(tx: Tx, { things }: Person): Promise<Erased> {
    const idsOf = (wanted: string): string[] => things.filter(({ kind }) => kind === wanted).map(({ id }) => id);
    const users = idsOf('user');
    const rows = (await this.persons.remove(tx, idsOf('lead'))) + (await this.persons.forgetWorkOf(tx, users));
    return { rows, remains: [] };
  }
}
