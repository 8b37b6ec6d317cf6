import { Injectable } from '@nestjs/common';
import { AuditService } from '../../audit/audit.service.js';
import type { Actor } from '../../common/actor.js';
import { Transactions } from '../../database/transactions.js';
import { UsersService } from '../../users/users.service.js';
import { LinkRequests } from './link-requests.js';
import { MailedLinks } from './mailed-links.js';

/** That whoever registered reads the mail of the address that they gave. */
@Injectable()
export class EmailVerification {
  constructor(
    private readonly requests: LinkRequests,
    private readonly links: MailedLinks,
    private readonly users: UsersService,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
  ) {}

  /** Mails a link in the background, if somebody who is not verified has the address. */
  async request(actor: Actor, email: string, languages: readonly string[]): Promise<void> {
    await this.requests.take(actor, { purpose: 'verify_email', email, languages });
  }

  /** Throws `InvalidLink`. */
  async verify(actor: Actor, token: string): Promise<void> {
    await this.transactions.run(actor, async (tx) => {
      const { user } = await this.links.useOfUser(tx, 'verify_email', token);
      await this.users.noteVerified(tx, user);
      await this.audit.record(tx, actor, { action: 'user.email_verified', targetKind: 'user', targetId: user.id });
    });
  }
}
