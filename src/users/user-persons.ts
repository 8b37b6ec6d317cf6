import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/transactions.js';
import { PersonIsStaff } from '../persons/persons.errors.js';
import type { Erased, Person, PersonalData, PersonalRecord, Thing } from '../persons/persons.service.js';
import { Role } from './role.js';
import { UsersRepository } from './users.repository.js';

/** What accounts know of a person. Everything that belongs to an account goes with its row. */
@Injectable()
export class UserPersons implements PersonalData {
  readonly name = 'users';

  constructor(private readonly users: UsersRepository) {}

  async thingsOf(emails: readonly string[], tx?: Tx): Promise<Thing[]> {
    return (await this.users.listByEmails(emails, tx)).map(({ id, username }) => ({
      kind: 'user',
      id,
      name: username,
    }));
  }

  /** Throws `PersonIsStaff`: what those did here is the practice's record, and the last superadmin has to stay. */
  async lockThingsOf(tx: Tx, email: string): Promise<Thing[]> {
    const user = await this.users.lockByEmail(tx, email);
    if (user === null) return [];
    if (user.role !== Role.Client) throw new PersonIsStaff();
    return [{ kind: 'user', id: user.id, name: user.username, since: user.createdAt }];
  }

  addressesAfter(address: string, most: number): Promise<string[]> {
    return this.users.addressesAfter(address, most);
  }

  async recordsOf({ email }: Person): Promise<PersonalRecord[]> {
    const user = await this.users.findByEmail(email);
    if (user === null) return [];
    const { id, username, role, isActive, createdAt, emailVerifiedAt } = user;
    return [
      {
        kind: 'account',
        data: {
          id,
          username,
          email: user.email,
          role,
          is_active: isActive,
          created_at: createdAt,
          email_verified_at: emailVerifiedAt,
        },
      },
    ];
  }

  async erase(tx: Tx, { things }: Person): Promise<Erased> {
    const users = things.filter(({ kind }) => kind === 'user');
    for (const { id } of users) await this.users.remove(tx, id);
    return { rows: users.length, remains: [] };
  }
}
