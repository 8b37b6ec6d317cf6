import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { Clock } from '../common/clock.js';
import type { Rows } from '../common/pagination.js';
import { type Tx, whenCommitted } from '../database/transactions.js';
import { KnownUsers } from './known-users.js';
import { Role } from './role.js';
import { User } from './user.entity.js';
import { LastAdmin, UserNotFound } from './users.errors.js';
import { type UserFilter, UsersRepository } from './users.repository.js';

export interface NewUser {
  readonly username: string;
  readonly email: string;
  readonly hashedPassword: string;
  readonly role: Role;
  /** True unless said otherwise: whoever makes an account for another vouches for the address. */
  readonly isEmailVerified?: boolean | undefined;
}

/** What may change about an account; what is undefined stays. */
export interface UserChange {
  readonly role?: Role | undefined;
  readonly isActive?: boolean | undefined;
}

export type { User, UserFilter };

/** Accounts as such. Who may change whom, and what follows from it, is for auth to say. */
@Injectable()
export class UsersService {
  constructor(
    private readonly users: UsersRepository,
    private readonly known: KnownUsers,
    private readonly clock: Clock,
  ) {}

  /** Adds an active account. Throws `UsernameTaken` or `UserEmailTaken`. */
  async add(tx: Tx, { username, email, hashedPassword, role, isEmailVerified = true }: NewUser): Promise<User> {
    const createdAt = this.clock.now();
    const user = Object.assign(new User(), {
      id: randomUUID(),
      username,
      email: email.toLowerCase(),
      hashedPassword,
      role,
      isActive: true,
      sessionEpoch: 0,
      createdAt,
      emailVerifiedAt: isEmailVerified ? createdAt : null,
    });
    await this.users.insert(tx, user);
    return user;
  }

  /** Changes of rights happen one after the other: call it first in the transaction of each. */
  async beginChangeOfRights(tx: Tx): Promise<void> {
    await this.users.lockActiveSuperadminIds(tx);
  }

  /** The account as of now, locked until the transaction ends. Throws `UserNotFound`. */
  async getLocked(tx: Tx, id: string): Promise<User> {
    const user = await this.users.lockById(tx, id);
    if (user === null) throw new UserNotFound();
    return user;
  }

  async findLocked(tx: Tx, id: string): Promise<User | null> {
    return this.users.lockById(tx, id);
  }

  /** Changes a locked account. Throws `LastAdmin` when no active superadmin would be left. */
  async change(tx: Tx, user: User, { role = user.role, isActive = user.isActive }: UserChange): Promise<void> {
    const superadmins = await this.users.lockActiveSuperadminIds(tx);
    const staysSuperadmin = role === Role.Superadmin && isActive;
    if (!staysSuperadmin && superadmins.length === 1 && superadmins[0] === user.id) throw new LastAdmin();
    Object.assign(user, { role, isActive });
    await this.users.update(tx, user, ['role', 'isActive']);
  }

  async setPassword(tx: Tx, user: User, hashedPassword: string): Promise<void> {
    user.hashedPassword = hashedPassword;
    await this.users.update(tx, user, ['hashedPassword']);
  }

  /** That mail to the address reaches the owner of a locked account. */
  async noteVerified(tx: Tx, user: User): Promise<void> {
    if (user.emailVerifiedAt !== null) return;
    user.emailVerifiedAt = this.clock.now();
    await this.users.update(tx, user, ['emailVerifiedAt']);
  }

  /** Gives a locked account another address, which is its owner's. Throws `UserEmailTaken`. */
  async changeEmail(tx: Tx, user: User, email: string): Promise<void> {
    user.email = email.toLowerCase();
    user.emailVerifiedAt = this.clock.now();
    await this.users.updateEmail(tx, user);
  }

  /** Sets another hash of the same password; false when the password was changed meanwhile. */
  async replaceHash(tx: Tx, id: string, hash: { readonly from: string; readonly to: string }): Promise<boolean> {
    return this.users.replaceHash(tx, id, hash.from, hash.to);
  }

  async list(filter: UserFilter, page: number, size: number): Promise<Rows<User>> {
    return this.users.listPage(filter, page, size);
  }

  async find(id: string): Promise<User | null> {
    return this.users.findById(id);
  }

  /** Throws `UserNotFound`. */
  async get(id: string): Promise<User> {
    const user = await this.find(id);
    if (user === null) throw new UserNotFound();
    return user;
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

  /** By user name or, when it has an @, by e-mail address; neither regards case. */
  async findForSignIn(name: string): Promise<User | null> {
    return name.includes('@') ? this.users.findByEmail(name) : this.users.findByUsername(name);
  }

  /** Whether anybody may administer everything; locks the superadmins until the transaction ends. */
  async hasSuperadmin(tx: Tx): Promise<boolean> {
    return (await this.users.lockActiveSuperadminIds(tx)).length > 0;
  }
}
