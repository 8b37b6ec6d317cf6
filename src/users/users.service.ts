import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AuditService } from '../audit/audit.service.js';
import type { Actor } from '../common/actor.js';
import { Clock } from '../common/clock.js';
import type { Rows } from '../common/pagination.js';
import { Transactions, type Tx, whenCommitted } from '../database/transactions.js';
import { KnownUsers } from './known-users.js';
import { Role } from './role.js';
import { User } from './user.entity.js';
import { LastAdmin, UserNotFound } from './users.errors.js';
import { UsersRepository } from './users.repository.js';

export interface NewUser {
  readonly username: string;
  readonly email: string;
  readonly hashedPassword: string;
  readonly role: Role;
}

export type { User };

@Injectable()
export class UsersService {
  constructor(
    private readonly users: UsersRepository,
    private readonly known: KnownUsers,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /** Adds an active account, on record. Throws `UsernameTaken` or `UserEmailTaken`. */
  async add(tx: Tx, actor: Actor, { username, email, hashedPassword, role }: NewUser): Promise<User> {
    const user = Object.assign(new User(), {
      id: randomUUID(),
      username,
      email: email.toLowerCase(),
      hashedPassword,
      role,
      isActive: true,
      sessionEpoch: 0,
      createdAt: this.clock.now(),
    });
    await this.users.insert(tx, user);
    await this.record(tx, actor, 'user.registered', user, { role });
    return user;
  }

  /**
   * Lets somebody in again, or out at once: the next request with their token is refused, and all their sessions are over
   * for good. Throws `LastAdmin`.
   */
  async setActive(actor: Actor, id: string, isActive: boolean): Promise<User> {
    return this.transactions.run(async (tx) => {
      const admins = await this.users.lockActiveAdminIds(tx);
      const user = await this.users.lockById(tx, id);
      if (user === null) throw new UserNotFound();
      if (!isActive && admins.length === 1 && admins[0] === id) throw new LastAdmin();
      if (user.isActive === isActive) return user;
      if (!isActive) await this.endSessions(tx, id);
      user.isActive = isActive;
      await this.users.update(tx, user, ['isActive']);
      await this.record(tx, actor, isActive ? 'user.enabled' : 'user.disabled', user);
      return user;
    });
  }

  async list(page: number, size: number): Promise<Rows<User>> {
    return this.users.listPage(page, size);
  }

  /** The user behind a token, as of this moment (a change takes effect within milliseconds). */
  async findKnown(id: string): Promise<User | null> {
    return this.known.find(id);
  }

  /** The account as this transaction sees it. */
  async findIn(tx: Tx, id: string): Promise<User | null> {
    return this.users.findIn(tx, id);
  }

  /**
   * Whether an account that was read before is still one that may come in, with none of its sessions ended meanwhile. Stays
   * so until the transaction ends: a new password and a sign-in with the old one cannot pass each other unseen.
   */
  async isUnchanged(tx: Tx, { id, sessionEpoch }: User): Promise<boolean> {
    const user = await this.users.shareById(tx, id);
    return user?.isActive === true && user.sessionEpoch === sessionEpoch;
  }

  /** All sessions of somebody are over when the transaction commits, and so are tokens from before there were sessions. */
  async endSessions(tx: Tx, id: string): Promise<void> {
    await this.users.nextSessionEpoch(tx, id);
    whenCommitted(tx, () => {
      this.known.forget(id);
    });
  }

  /** Throws `UserNotFound`. */
  async get(id: string): Promise<User> {
    const user = await this.users.findById(id);
    if (user === null) throw new UserNotFound();
    return user;
  }

  /** By user name or, when it has an @, by e-mail address; neither regards case. */
  async findForSignIn(name: string): Promise<User | null> {
    return name.includes('@') ? this.users.findByEmail(name) : this.users.findByUsername(name);
  }

  /** Whether anybody may administer; locks the admins until the transaction ends. */
  async hasAdmin(tx: Tx): Promise<boolean> {
    return (await this.users.lockActiveAdminIds(tx)).length > 0;
  }

  private async record(tx: Tx, actor: Actor, action: string, user: User, details = {}): Promise<void> {
    await this.audit.record(tx, actor, { action, targetKind: 'user', targetId: user.id, details });
  }
}
