import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AuditService } from '../../audit/audit.service.js';
import type { Actor } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import { Transactions } from '../../database/transactions.js';
import { MailService } from '../../mail/mail.service.js';
import { UsersService } from '../../users/users.service.js';
import { AccountRights } from '../accounts/account-rights.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { factorsResetMail } from './factors.mails.js';
import { FactorsRepository } from './factors.repository.js';

/** For whoever has lost all their factors. */
@Injectable()
export class FactorResets {
  constructor(
    private readonly factors: FactorsRepository,
    private readonly users: UsersService,
    private readonly rights: AccountRights,
    private readonly sessions: SessionsService,
    private readonly audit: AuditService,
    private readonly mail: MailService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /**
   * Takes all factors and recovery codes from an account and ends its sessions; its owner signs in with the password alone
   * next time. Returns how many factors there were. Throws `UserNotFound` or `Forbidden`.
   */
  async reset(actor: Actor, userId: string): Promise<number> {
    return this.transactions.run(actor, async (tx) => {
      await this.rights.require(tx, actor, []);
      const user = await this.users.getLocked(tx, userId);
      await this.rights.require(tx, actor, [user.role]);
      const factors = await this.factors.listIn(tx, userId);
      await this.factors.removeAllOf(tx, userId);
      await this.sessions.endAllOf(tx, actor, userId, 'factors_reset');
      await this.audit.record(tx, actor, {
        action: 'factor.all_removed',
        targetKind: 'user',
        targetId: userId,
        details: { factors: factors.length },
      });
      const mail = factorsResetMail(user, this.clock.now());
      await this.mail.queue(tx, { kind: 'factor_change', id: randomUUID() }, [mail]);
      return factors.length;
    });
  }
}
