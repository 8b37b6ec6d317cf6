import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AuditService } from '../../audit/audit.service.js';
import { type Actor, sessionOf } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import type { ProviderSettings } from '../../config/provider-settings.js';
import { Transactions, type Tx } from '../../database/transactions.js';
import { MailService } from '../../mail/mail.service.js';
import { type User, UsersService } from '../../users/users.service.js';
import { Reauthentication } from '../accounts/reauthentication.js';
import { InvalidToken } from '../auth.errors.js';
import { writtenTime } from '../auth.mails.js';
import { NO_PASSWORD } from '../passwords/password-hasher.js';
import { SingleSignOn } from '../single-sign-on.js';
import { OpenidFlows } from './openid-flows.js';
import { IdentityLastWayIn, IdentityNotFound, OpenidCodeInvalid } from './openid.errors.js';
import { issuerOf } from './person.js';
import { Providers } from './providers.js';
import { UserIdentitiesRepository } from './user-identities.repository.js';
import { UserIdentity } from './user-identity.entity.js';

export type { UserIdentity };

/** As whom somebody is known to providers. Everything is on record. */
@Injectable()
export class IdentitiesService {
  constructor(
    private readonly identities: UserIdentitiesRepository,
    private readonly flows: OpenidFlows,
    private readonly providers: Providers,
    private readonly singleSignOn: SingleSignOn,
    private readonly users: UsersService,
    private readonly reauthentication: Reauthentication,
    private readonly audit: AuditService,
    private readonly mail: MailService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  async listOwn(actor: Actor): Promise<readonly UserIdentity[]> {
    return this.identities.listOf(userIdOf(actor));
  }

  async findBySubject(issuer: string, subject: string): Promise<UserIdentity | null> {
    return this.identities.findBySubject(issuer, subject);
  }

  /** Links an identity to an account; the record of it is the caller's. Throws `IdentityTaken`. */
  async add(
    tx: Tx,
    userId: string,
    { id: provider }: Pick<ProviderSettings, 'id'>,
    { issuer, subject, email }: Pick<UserIdentity, 'issuer' | 'subject' | 'email'>,
  ): Promise<UserIdentity> {
    const identity = Object.assign(new UserIdentity(), {
      id: randomUUID(),
      userId,
      provider,
      issuer,
      subject,
      email,
      createdAt: this.clock.now(),
      lastUsedAt: null,
    });
    await this.identities.insert(tx, identity);
    return identity;
  }

  /** The identity as of now, locked until the transaction ends. */
  async findLocked(tx: Tx, id: string): Promise<UserIdentity | null> {
    return this.identities.lockById(tx, id);
  }

  /** Notes when it was used, and the address that the provider knows now. */
  async noteUse(tx: Tx, identity: UserIdentity, email: string | null): Promise<void> {
    Object.assign(identity, { email, lastUsedAt: this.clock.now() });
    await this.identities.update(tx, identity, ['email', 'lastUsedAt']);
  }

  /**
   * Makes sure that it is the owner who is about to add a way in: a stolen token must not become one that stays. Throws
   * `WrongPassword`, or `ReauthenticationRequired` for somebody who has none and did not just sign in.
   */
  async requireOwner(actor: Actor, password: string | undefined): Promise<void> {
    const user = await this.users.get(userIdOf(actor));
    if (user.hashedPassword === NO_PASSWORD) await this.reauthentication.require(actor, undefined);
    else await this.reauthentication.requirePassword(actor, user, password ?? '', 'current_password');
  }

  /**
   * Links the identity that a flow of this very session came back with. Throws `OpenidCodeInvalid` or `IdentityTaken`, also
   * when it is the caller's own already.
   */
  async link(actor: Actor, code: string, browser: string | undefined): Promise<UserIdentity> {
    const userId = userIdOf(actor);
    const linked = await this.transactions.run(actor, async (tx) => {
      const flow = await this.flows.takeRedeemed(tx, code, browser);
      const isOwn = flow?.linkingUserId === userId && flow.linkingSessionId === (sessionOf(actor) ?? null);
      if (!isOwn || flow.subject === null) return null;
      // first the user and then the identity, as everybody locks them
      const user = await this.users.getLocked(tx, userId);
      const { subject, email } = flow;
      const provider = this.providers.get(flow.provider);
      const identity = await this.add(tx, userId, provider, { issuer: issuerOf(provider), subject, email });
      await this.record(tx, actor, 'identity.linked', identity);
      await this.tell(tx, user, 'identity_linked', identity);
      return identity;
    });
    if (linked === null) throw new OpenidCodeInvalid();
    return linked;
  }

  /** Throws `IdentityNotFound`, also for that of somebody else, or `IdentityLastWayIn`. */
  async unlink(actor: Actor, id: string): Promise<void> {
    const userId = userIdOf(actor);
    await this.transactions.run(actor, async (tx) => {
      // one after the other: two at once would each leave the other's
      const user = await this.users.getLocked(tx, userId);
      const identity = await this.identities.lockById(tx, id);
      if (identity?.userId !== userId) throw new IdentityNotFound();
      const hasPassword = user.hashedPassword !== NO_PASSWORD && this.singleSignOn.admitsPastProvider(user);
      if (!hasPassword && (await this.identities.countOf(tx, userId)) === 1) throw new IdentityLastWayIn();
      await this.identities.remove(tx, id);
      await this.record(tx, actor, 'identity.unlinked', identity);
      await this.tell(tx, user, 'identity_unlinked', identity);
    });
  }

  /** So that nobody changes who gets in behind the owner's back (ASVS 5.0, 6.3.7). */
  private async tell(
    tx: Tx,
    user: User,
    template: 'identity_linked' | 'identity_unlinked',
    { provider }: UserIdentity,
  ): Promise<void> {
    const data = { username: user.username, provider, changed_at: writtenTime(this.clock.now()) };
    await this.mail.queue(tx, { kind: 'identity', id: randomUUID() }, [{ template, recipient: user.email, data }]);
  }

  private record(tx: Tx, actor: Actor, action: string, { id, userId, provider }: UserIdentity): Promise<void> {
    const details = { provider, identity_id: id };
    return this.audit.record(tx, actor, { action, targetKind: 'user', targetId: userId, details });
  }
}

function userIdOf(actor: Actor): string {
  if (actor.kind !== 'user') throw new InvalidToken();
  return actor.id;
}
