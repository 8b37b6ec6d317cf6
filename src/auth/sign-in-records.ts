import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import type { Actor } from '../common/actor.js';
import type { Tx } from '../database/transactions.js';
import type { User } from '../users/users.service.js';
import { AccountKey } from './locks/account-key.js';
import { nameOnRecord } from './permissions.js';
import { SignInMetrics } from './sign-in.metrics.js';

/** Puts every sign-in on record, good or bad. */
@Injectable()
export class SignInRecords {
  constructor(
    private readonly audit: AuditService,
    private readonly key: AccountKey,
    private readonly metrics: SignInMetrics,
  ) {}

  /** Commits with the session: nobody gets a token without it. */
  async succeeded(
    tx: Tx,
    actor: Actor,
    user: User,
    { methods: [method, secondFactor], sessionId }: { readonly methods: readonly string[]; readonly sessionId: string },
  ): Promise<void> {
    await this.audit.record(tx, asUser(actor, user), {
      action: 'auth.signed_in',
      targetKind: 'user',
      targetId: user.id,
      details: {
        method,
        ...(secondFactor === undefined ? {} : { second_factor: secondFactor }),
        session_id: sessionId,
      },
    });
  }

  /**
   * One entry per source, account and minute, and one with the number of further attempts. A name that is nobody's is not
   * written, because people mistake the field and type their password there: only a keyed hash, by which
   * attempts at the same name can be told.
   */
  async refused(actor: Actor, user: User | null, name: string): Promise<void> {
    this.metrics.count('password', 'refused');
    await this.audit.recordSeldom(actor, {
      action: 'auth.sign_in_refused',
      targetKind: 'user',
      targetId: user?.id ?? null,
      outcome: 'refused',
      details: user === null ? { name_hash: await this.hashOf(name) } : {},
    });
  }

  private async hashOf(name: string): Promise<string> {
    return (await this.key.hash('name', name.toLowerCase())).toString('hex').slice(0, 32);
  }
}

function asUser(actor: Actor, user: User): Actor {
  return actor.kind === 'system' ? actor : { ...actor, kind: 'user', id: user.id, username: nameOnRecord(user) };
}
