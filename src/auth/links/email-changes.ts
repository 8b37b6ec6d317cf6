import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AuditService } from '../../audit/audit.service.js';
import type { Actor } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import { maskEmails } from '../../common/privacy.js';
import { Transactions } from '../../database/transactions.js';
import { MailService } from '../../mail/mail.service.js';
import { LegalHoldsService } from '../../persons/legal-holds.service.js';
import { UserEmailTaken } from '../../users/users.errors.js';
import { UsersService } from '../../users/users.service.js';
import { AccountsService } from '../accounts/accounts.service.js';
import { Reauthentication } from '../accounts/reauthentication.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { LinkRequests } from './link-requests.js';
import { InvalidLink } from './links.errors.js';
import { emailChangedMail } from './links.mails.js';
import { MailedLinks } from './mailed-links.js';

/** Another address for an account: asked for with the password, confirmed at the new one, told to the old one. */
@Injectable()
export class EmailChanges {
  constructor(
    private readonly requests: LinkRequests,
    private readonly links: MailedLinks,
    private readonly accounts: AccountsService,
    private readonly reauthentication: Reauthentication,
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly holds: LegalHoldsService,
    private readonly mail: MailService,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /** Mails in the background, alike whether the address is free or not. Throws `WrongPassword` or `SignInBusy`. */
  async request(
    actor: Actor,
    { email, password }: { readonly email: string; readonly password: string },
    languages: readonly string[],
  ): Promise<void> {
    const user = await this.accounts.getOwn(actor);
    await this.reauthentication.requirePassword(actor, user, password, 'password');
    await this.transactions.run(actor, async (tx) => {
      await this.requests.owe(tx, { purpose: 'change_email', email, languages, userId: user.id });
      const event = { action: 'user.email_change_requested', targetKind: 'user', targetId: user.id };
      await this.audit.record(tx, actor, event);
    });
  }

  /**
   * Changes the address and ends all sessions: a password can be reset by the address, so it is a part of the sign-in. Throws
   * `InvalidLink`, for an address that somebody has taken meanwhile as well.
   */
  async confirm(actor: Actor, token: string): Promise<void> {
    try {
      await this.change(actor, token);
    } catch (error) {
      throw error instanceof UserEmailTaken ? new InvalidLink({ cause: error }) : error;
    }
  }

  private async change(actor: Actor, token: string): Promise<void> {
    await this.transactions.run(actor, async (tx) => {
      const { user, email: to } = await this.links.useOfUser(tx, 'change_email', token);
      const { email: from } = user;
      await this.users.changeEmail(tx, user, to);
      await this.holds.carryOver(tx, from, to);
      await this.sessions.endAllOf(tx, actor, user.id, 'email_changed');
      const details = { from: maskEmails(from), to: maskEmails(to) };
      const event = { action: 'user.email_changed', targetKind: 'user', targetId: user.id, details };
      await this.audit.record(tx, actor, event);
      const mail = emailChangedMail(user, { from, to }, this.clock.now());
      await this.mail.queue(tx, { kind: 'email_change', id: randomUUID() }, [mail]);
    });
  }
}
