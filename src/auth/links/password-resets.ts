import { Injectable } from '@nestjs/common';
import { AuditService } from '../../audit/audit.service.js';
import type { Actor } from '../../common/actor.js';
import { Transactions } from '../../database/transactions.js';
import { UsersService } from '../../users/users.service.js';
import { AccountsService } from '../accounts/accounts.service.js';
import { FactorsService } from '../factors/factors.service.js';
import { SignInLocks } from '../locks/sign-in-locks.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordPolicy } from '../passwords/password-policy.js';
import { LinkRequests } from './link-requests.js';
import { InvalidLink } from './links.errors.js';
import { MailedLinks } from './mailed-links.js';

/** New passwords for those who forgot theirs and read the mail of their account. Signs nobody in. */
@Injectable()
export class PasswordResets {
  constructor(
    private readonly requests: LinkRequests,
    private readonly links: MailedLinks,
    private readonly accounts: AccountsService,
    private readonly users: UsersService,
    private readonly policy: PasswordPolicy,
    private readonly hasher: PasswordHasher,
    private readonly locks: SignInLocks,
    private readonly factors: FactorsService,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
  ) {}

  /** Mails a link in the background, if an active account has the address. */
  async request(actor: Actor, email: string, languages: readonly string[]): Promise<void> {
    await this.requests.take(actor, { purpose: 'reset_password', email, languages });
  }

  /**
   * Sets the password and ends all sessions. Ends locks as well, which were against guesses at the password before, save those of
   * an account with a second factor: they may be against guesses at its codes, which a mailbox must not forgive. Throws `UnprocessableFields`, after which the link is still good, `InvalidLink` after the same work, `SignInBusy`.
   */
  async reset(actor: Actor, token: string, password: string): Promise<void> {
    const owner = await this.links.findUser('reset_password', token);
    this.policy.require(password, owner ?? {}, 'new_password');
    const hashedPassword = await this.hasher.hash(password);
    if (owner === null) throw new InvalidLink();
    await this.transactions.run(actor, async (tx) => {
      const { user } = await this.links.useOfUser(tx, 'reset_password', token);
      await this.users.noteVerified(tx, user);
      await this.accounts.replacePassword(tx, actor, user, hashedPassword, 'password_reset');
      const hasSecondFactor = (await this.factors.findMethods(tx, user.id)).length > 0;
      if (!hasSecondFactor && (await this.locks.unlock(tx, user.id))) {
        const event = { action: 'user.unlocked', targetKind: 'user', targetId: user.id, details: { by: 'reset' } };
        await this.audit.record(tx, actor, event);
      }
    });
  }
}
