import { Injectable } from '@nestjs/common';
import type { Rows } from '../common/pagination.js';
import { BaseRepository } from '../database/base.repository.js';
import { violates } from '../database/constraints.js';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';
import { Role } from './role.js';
import { User } from './user.entity.js';
import { UserEmailTaken, UsernameTaken } from './users.errors.js';

/** Which accounts are wanted; what is undefined does not count. */
export interface UserFilter {
  /** A part of the user name or address, without regard to case. */
  readonly search?: string | undefined;
  readonly role?: Role | undefined;
  readonly isActive?: boolean | undefined;
  /** Who is to see what they have written, should a replica answer. */
  readonly reader?: string | undefined;
}

@Injectable()
export class UsersRepository extends BaseRepository<User> {
  constructor(database: Database) {
    super(database, User);
  }

  async findByUsername(username: string): Promise<User | null> {
    return this.findOne('lower(t.username) = lower($1)', [username]);
  }

  async findByEmail(email: string): Promise<User | null> {
    return this.findOne('t.email = lower($1)', [email]);
  }

  /** `emails` in lower case. */
  async listByEmails(emails: readonly string[], tx?: Tx): Promise<User[]> {
    const condition = 't.email = ANY ($1::text[])';
    return tx === undefined ? this.list(condition, [emails]) : this.listIn(tx, condition, [emails]);
  }

  async lockByEmail(tx: Tx, email: string): Promise<User | null> {
    return this.findOneIn(tx, 't.email = $1 FOR UPDATE', [email]);
  }

  /** In order, after this one. */
  async addressesAfter(address: string, most: number): Promise<string[]> {
    const rows = await this.database.read<{ email: string }>(
      `SELECT email FROM users WHERE email > $1 ORDER BY email LIMIT $2`,
      [address, most],
    );
    return rows.map(({ email }) => email);
  }

  /** By user name. */
  async listPage({ search, role, isActive, reader }: UserFilter, page: number, size: number): Promise<Rows<User>> {
    const containing = search === undefined ? undefined : `%${search.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
    return this.findPage({
      where: { role, is_active: isActive },
      conditions: [{ text: '(lower(t.username) LIKE ? OR t.email LIKE ?)', value: containing }],
      orderBy: 'lower(t.username), t.id',
      page,
      size,
      reader,
    });
  }

  /**
   * The ids of all active superadmins, their rows locked in one order, so that two changes cannot both believe in the
   * other's superadmin.
   */
  async lockActiveSuperadminIds(tx: Tx): Promise<string[]> {
    const rows = await rowsIn<{ id: string }>(
      tx,
      `SELECT id FROM users WHERE role = $1 AND is_active ORDER BY id FOR UPDATE`,
      [Role.Superadmin],
    );
    return rows.map(({ id }) => id);
  }

  /** The row as this transaction sees it, not locked. */
  async findIn(tx: Tx, id: string): Promise<User | null> {
    return this.findOneIn(tx, 't.id = $1', [id]);
  }

  /** The row, which nobody changes until the transaction ends; others may read and share it. */
  async shareById(tx: Tx, id: string): Promise<User | null> {
    return this.findOneIn(tx, 't.id = $1 FOR SHARE', [id]);
  }

  /** Ends all sessions of somebody at once. */
  async nextSessionEpoch(tx: Tx, id: string): Promise<void> {
    await rowsIn(tx, `UPDATE users SET session_epoch = session_epoch + 1 WHERE id = $1`, [id]);
  }

  /** Whether the hash was still the one named. */
  async replaceHash(tx: Tx, id: string, from: string, to: string): Promise<boolean> {
    const rows = await rowsIn(
      tx,
      `UPDATE users SET hashed_password = $3 WHERE id = $1 AND hashed_password = $2 RETURNING id`,
      [id, from, to],
    );
    return rows.length > 0;
  }

  /** Throws `UserEmailTaken`. */
  async updateEmail(tx: Tx, user: User): Promise<void> {
    try {
      await this.update(tx, user, ['email', 'emailVerifiedAt']);
    } catch (error) {
      if (violates(error, 'idx_user_email')) throw new UserEmailTaken();
      throw error;
    }
  }

  override async insert(tx: Tx, user: User): Promise<void> {
    try {
      await super.insert(tx, user);
    } catch (error) {
      if (violates(error, 'idx_user_username')) throw new UsernameTaken();
      if (violates(error, 'idx_user_email')) throw new UserEmailTaken();
      throw error;
    }
  }
}
