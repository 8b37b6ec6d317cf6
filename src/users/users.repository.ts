import { Injectable } from '@nestjs/common';
import type { Rows } from '../common/pagination.js';
import { BaseRepository } from '../database/base.repository.js';
import { violates } from '../database/constraints.js';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';
import { Role } from './role.js';
import { User } from './user.entity.js';
import { UserEmailTaken, UsernameTaken } from './users.errors.js';

@Injectable()
export class UsersRepository extends BaseRepository<User> {
  constructor(database: Database) {
    super(database, User);
  }

  async findByUsername(username: string): Promise<User | null> {
    return this.findOne('lower(t.username) = lower($1)', username);
  }

  async findByEmail(email: string): Promise<User | null> {
    return this.findOne('t.email = lower($1)', email);
  }

  async listPage(page: number, size: number): Promise<Rows<User>> {
    return this.findPage({ orderBy: 'lower(username), id', page, size });
  }

  /** The ids of all active admins, their rows locked, so that two changes cannot both believe in the other's admin. */
  async lockActiveAdminIds(tx: Tx): Promise<string[]> {
    const rows = await rowsIn<{ id: string }>(
      tx,
      `SELECT id FROM users WHERE role = $1 AND is_active ORDER BY id FOR UPDATE`,
      [Role.Admin],
    );
    return rows.map(({ id }) => id);
  }

  /** The row as this transaction sees it, not locked. */
  async findIn(tx: Tx, id: string): Promise<User | null> {
    const [row] = await rowsIn(tx, `SELECT ${this.mapping.selection} FROM users AS t WHERE t.id = $1`, [id]);
    return row === undefined ? null : this.toEntity(row);
  }

  /** The row, which nobody changes until the transaction ends; others may read and share it. */
  async shareById(tx: Tx, id: string): Promise<User | null> {
    const [row] = await rowsIn(tx, `SELECT ${this.mapping.selection} FROM users AS t WHERE t.id = $1 FOR SHARE`, [id]);
    return row === undefined ? null : this.toEntity(row);
  }

  /** Ends all sessions of somebody at once. */
  async nextSessionEpoch(tx: Tx, id: string): Promise<void> {
    await rowsIn(tx, `UPDATE users SET session_epoch = session_epoch + 1 WHERE id = $1`, [id]);
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

  private async findOne(condition: string, value: string): Promise<User | null> {
    const [row] = await this.database.read<object>(
      `SELECT ${this.mapping.selection} FROM users AS t WHERE ${condition}`,
      [value],
    );
    return row === undefined ? null : this.toEntity(row);
  }
}
