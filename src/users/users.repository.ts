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
}

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

  /** By user name. */
  async listPage({ search, role, isActive }: UserFilter, page: number, size: number): Promise<Rows<User>> {
    const where = `WHERE ($3::text IS NULL OR lower(t.username) LIKE $3 OR t.email LIKE $3)
      AND ($4::user_role IS NULL OR t.role = $4) AND ($5::boolean IS NULL OR t.is_active = $5)`;
    const rows = await this.database.read<{ page_total: string; id: string | null }>(
      `SELECT counted.page_total, paged.* FROM (SELECT count(*)::text AS page_total FROM users AS t ${where}) AS counted
       LEFT JOIN LATERAL (SELECT ${this.mapping.selection} FROM users AS t ${where}
         ORDER BY lower(t.username), t.id LIMIT $1 OFFSET $2) AS paged ON true`,
      [
        size,
        (page - 1) * size,
        search === undefined ? null : `%${search.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`,
        role ?? null,
        isActive ?? null,
      ],
    );
    return {
      rows: rows.filter(({ id }) => id !== null).map((row) => this.toEntity(row)),
      total: Number(rows[0]?.page_total ?? 0),
    };
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

  /** Whether the hash was still the one named. */
  async replaceHash(tx: Tx, id: string, from: string, to: string): Promise<boolean> {
    const rows = await rowsIn(
      tx,
      `UPDATE users SET hashed_password = $3 WHERE id = $1 AND hashed_password = $2 RETURNING id`,
      [id, from, to],
    );
    return rows.length > 0;
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
