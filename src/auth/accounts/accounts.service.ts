import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AuditService } from '../../audit/audit.service.js';
import { type Actor, readerOf } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import type { Rows } from '../../common/pagination.js';
import { CONFIG, type Config } from '../../config/config.js';
import { Transactions, type Tx } from '../../database/transactions.js';
import { MailService } from '../../mail/mail.service.js';
import type { Role } from '../../users/role.js';
import { UserNotFound } from '../../users/users.errors.js';
import { type NewUser, type User, type UserChange, type UserFilter, UsersService } from '../../users/users.service.js';
import { BreakGlassStays, InvalidToken, WrongPassword } from '../auth.errors.js';
import { passwordChangedMail } from '../auth.mails.js';
import { SignInLocks } from '../locks/sign-in-locks.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordPolicy } from '../passwords/password-policy.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { AccountRights } from './account-rights.js';
import { Reauthentication } from './reauthentication.js';

export interface AccountRequest {
  readonly username: string;
  readonly email: string;
  readonly password: string;
  readonly role: Role;
}

/** An account, and until when somebody is kept from signing in to it for failing too often. */
export interface AccountView {
  readonly user: User;
  readonly lockedUntil: Date | null;
}

/** What is done to accounts, by their owners, admins and operators. Everything is on record. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly users: UsersService,
    private readonly rights: AccountRights,
    private readonly policy: PasswordPolicy,
    private readonly hasher: PasswordHasher,
    private readonly locks: SignInLocks,
    private readonly reauthentication: Reauthentication,
    private readonly sessions: SessionsService,
    private readonly audit: AuditService,
    private readonly mail: MailService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** As {@link list}, for somebody who looks through them. */
  async listFor(actor: Actor, filter: UserFilter, page: number, size: number): Promise<Rows<AccountView>> {
    const found = await this.list({ ...filter, reader: readerOf(actor) }, page, size);
    await this.audit.recordSeldom(actor, { action: 'user.listed', targetKind: 'user', targetId: null });
    return found;
  }

  async list(filter: UserFilter, page: number, size: number): Promise<Rows<AccountView>> {
    const { rows, total } = await this.users.list(filter, page, size);
    const locked = await this.locks.lockedUntil(rows.map(({ id }) => id));
    return { total, rows: rows.map((user) => ({ user, lockedUntil: locked.get(user.id) ?? null })) };
  }

  /** As {@link get}, for somebody who looks at it. */
  async getFor(actor: Actor, id: string): Promise<AccountView> {
    const found = await this.get(id);
    await this.audit.recordSeldom(actor, { action: 'user.viewed', targetKind: 'user', targetId: id });
    return found;
  }

  /** Throws `UserNotFound`. */
  async get(id: string): Promise<AccountView> {
    const user = await this.users.get(id);
    return { user, lockedUntil: (await this.locks.lockedUntil([id])).get(id) ?? null };
  }

  /** By user name or e-mail address. Throws `UserNotFound`. */
  async getByName(name: string): Promise<AccountView> {
    const user = await this.users.findForSignIn(name);
    if (user === null) throw new UserNotFound();
    return this.get(user.id);
  }

  /**
   * Makes an account for somebody. Throws `UnprocessableFields` for a password that may not be chosen, `Forbidden`,
   * `UsernameTaken` or `UserEmailTaken`.
   */
  async create(actor: Actor, { password, ...account }: AccountRequest): Promise<AccountView> {
    this.policy.require(password, account);
    const hashedPassword = await this.hasher.hash(password);
    const user = await this.transactions.run(actor, async (tx) => {
      await this.rights.require(tx, actor, [account.role]);
      return this.add(tx, actor, { ...account, hashedPassword });
    });
    return { user, lockedUntil: null };
  }

  /** Adds an account and puts it on record; whether the actor may is for the caller to ask. */
  async add(tx: Tx, actor: Actor, account: NewUser): Promise<User> {
    const user = await this.users.add(tx, account);
    await this.record(tx, actor, 'user.created', user, { role: user.role });
    return user;
  }

  /**
   * Changes a role, lets somebody in again or out at once. Throws `UserNotFound`, `Forbidden`, `LastAdmin` or `BreakGlassStays`. What already
   * is so is neither changed nor recorded.
   */
  async change(actor: Actor, id: string, { role, isActive }: UserChange): Promise<AccountView> {
    const user = await this.transactions.run(actor, async (tx) => {
      await this.rights.require(tx, actor, []);
      const found = await this.users.getLocked(tx, id);
      await this.rights.require(tx, actor, [found.role, role ?? found.role]);
      const [wasRole, wasActive] = [found.role, found.isActive];
      if (this.isBreakGlass(found) && ((role ?? wasRole) !== wasRole || isActive === false))
        throw new BreakGlassStays();
      await this.users.change(tx, found, { role, isActive });
      if (found.role !== wasRole)
        await this.record(tx, actor, 'user.role_changed', found, { from: wasRole, to: found.role });
      if (found.isActive !== wasActive)
        await this.record(tx, actor, found.isActive ? 'user.enabled' : 'user.disabled', found);
      if (found.role !== wasRole) await this.sessions.endAllOf(tx, actor, id, 'role_changed');
      else if (wasActive && !found.isActive) await this.sessions.endAllOf(tx, actor, id, 'disabled');
      return found;
    });
    return { user, lockedUntil: (await this.locks.lockedUntil([id])).get(id) ?? null };
  }

  /** Lets everybody try again who failed too often. Throws `UserNotFound` or `Forbidden`. */
  async unlock(actor: Actor, id: string): Promise<AccountView> {
    const user = await this.transactions.run(actor, async (tx) => {
      await this.rights.require(tx, actor, []);
      const found = await this.users.getLocked(tx, id);
      await this.rights.require(tx, actor, [found.role]);
      const wasLocked = await this.locks.unlock(tx, id);
      await this.record(tx, actor, 'user.unlocked', found, { was_locked: wasLocked });
      return found;
    });
    return { user, lockedUntil: null };
  }

  /** Takes the address of an account for its owner's, without a mail. Throws `UserNotFound` or `Forbidden`. */
  async verifyEmail(actor: Actor, id: string): Promise<void> {
    await this.transactions.run(actor, async (tx) => {
      await this.rights.require(tx, actor, []);
      const found = await this.users.getLocked(tx, id);
      await this.rights.require(tx, actor, [found.role]);
      await this.users.noteVerified(tx, found);
      await this.record(tx, actor, 'user.email_verified', found, {});
    });
  }

  /** Signs somebody out everywhere. Throws `UserNotFound` or `Forbidden`. */
  async endSessions(actor: Actor, id: string): Promise<void> {
    await this.transactions.run(actor, async (tx) => {
      await this.rights.require(tx, actor, []);
      const { role } = await this.users.getLocked(tx, id);
      await this.rights.require(tx, actor, [role]);
      await this.sessions.endAllOf(tx, actor, id, 'ended_by_admin');
    });
  }

  /**
   * Changes the caller's own password and ends what was signed in with the old one. Throws `WrongPassword`,
   * `UnprocessableFields` or `SignInBusy`.
   */
  async changeOwnPassword(actor: Actor, current: string, next: string): Promise<void> {
    const user = await this.getOwn(actor);
    this.policy.require(next, user, 'new_password');
    await this.reauthentication.requirePassword(actor, user, current, 'current_password');
    await this.setPassword(actor, user, next, { isOwn: true });
  }

  /** The caller's own account. Throws `InvalidToken` where there is none. */
  async getOwn(actor: Actor): Promise<User> {
    if (actor.kind !== 'user') throw new InvalidToken();
    return this.users.get(actor.id);
  }

  /** Gives an account another password, for its operator. Throws `UnprocessableFields` or `UserNotFound`. */
  async resetPassword(actor: Actor, id: string, password: string): Promise<void> {
    const user = await this.users.get(id);
    this.policy.require(password, user);
    await this.setPassword(actor, user, password, { isOwn: false });
  }

  private async setPassword(actor: Actor, known: User, password: string, { isOwn }: { isOwn: boolean }): Promise<void> {
    const hashedPassword = await this.hasher.hash(password);
    await this.transactions.run(actor, async (tx) => {
      const user = await this.users.getLocked(tx, known.id);
      // of two changes at once the second did not know the password any more
      if (isOwn && user.sessionEpoch !== known.sessionEpoch) throw new WrongPassword();
      await this.replacePassword(tx, actor, user, hashedPassword, isOwn ? 'password_changed' : 'password_reset');
    });
  }

  /** Sets a locked account's password, ends what was signed in with the one before, and tells the owner. */
  async replacePassword(
    tx: Tx,
    actor: Actor,
    user: User,
    hashedPassword: string,
    reason: 'password_changed' | 'password_reset',
  ): Promise<void> {
    await this.users.setPassword(tx, user, hashedPassword);
    await this.sessions.endAllOf(tx, actor, user.id, reason);
    await this.record(tx, actor, 'user.password_changed', user, reason === 'password_reset' ? { reset: true } : {});
    const mail = passwordChangedMail(user, this.clock.now());
    await this.mail.queue(tx, { kind: 'password_change', id: randomUUID() }, [mail]);
  }

  private isBreakGlass({ username }: User): boolean {
    return username.toLowerCase() === this.config.singleSignOn.breakGlassUsername?.toLowerCase();
  }

  private record(tx: Tx, actor: Actor, action: string, { id }: User, details = {}): Promise<void> {
    return this.audit.record(tx, actor, { action, targetKind: 'user', targetId: id, details });
  }
}
