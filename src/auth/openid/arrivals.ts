import { Injectable } from '@nestjs/common';
import { randomInt } from 'node:crypto';
import { AuditService } from '../../audit/audit.service.js';
import type { Actor } from '../../common/actor.js';
import type { ProviderSettings } from '../../config/provider-settings.js';
import { Transactions, type Tx } from '../../database/transactions.js';
import type { Role } from '../../users/role.js';
import { LastAdmin, UserEmailTaken, UsernameTaken } from '../../users/users.errors.js';
import { type User, UsersService } from '../../users/users.service.js';
import { AccountsService } from '../accounts/accounts.service.js';
import { BreakGlassStays } from '../auth.errors.js';
import { InvitationsService } from '../invitations/invitations.service.js';
import { NO_PASSWORD } from '../passwords/password-hasher.js';
import { REGISTERED_AS } from '../permissions.js';
import { IdentitiesService } from './identities.service.js';
import {
  IdentityAccountDisabled,
  IdentityAccountExists,
  IdentityEmailUnverified,
  IdentityUnknown,
} from './openid.errors.js';
import { type Person, requireDomain, roleOf, usernamesFor } from './person.js';
import type { UserIdentity } from './user-identity.entity.js';

/** Somebody whom a provider vouches for, and who may get an account. */
interface Newcomer {
  readonly person: Person;
  readonly email: string;
  readonly role: Role | undefined;
}

/** Who comes in after a provider has said who they are. Nobody is ever recognised by an e-mail address. */
@Injectable()
export class Arrivals {
  constructor(
    private readonly identities: IdentitiesService,
    private readonly invitations: InvitationsService,
    private readonly accounts: AccountsService,
    private readonly users: UsersService,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
  ) {}

  /**
   * The identity of somebody who may sign in, their account made or brought up to date as the provider's settings say. Throws
   * one of the refusals `Identity…`.
   */
  async admit(actor: Actor, provider: ProviderSettings, person: Person): Promise<UserIdentity> {
    requireDomain(provider, person);
    const role = roleOf(provider, person);
    const known = await this.identities.findBySubject(person.issuer, person.subject);
    if (known === null) return this.welcome(actor, provider, person, role);
    const user = await this.users.get(known.userId);
    if (!user.isActive) throw new IdentityAccountDisabled();
    if (role !== undefined && role !== user.role) await this.changeRole(provider, user, role);
    return known;
  }

  private async welcome(
    actor: Actor,
    provider: ProviderSettings,
    person: Person,
    role: Role | undefined,
  ): Promise<UserIdentity> {
    if (provider.provision === 'off') throw new IdentityUnknown();
    const { email, isEmailVerified } = person;
    if (email === null || !isEmailVerified) throw new IdentityEmailUnverified();
    for (const username of usernamesFor(person, randomInt)) {
      try {
        return await this.transactions.run(actor, (tx) =>
          this.enrol(tx, actor, provider, username, { person, email, role }),
        );
      } catch (error) {
        if (error instanceof UserEmailTaken) throw new IdentityAccountExists();
        if (!(error instanceof UsernameTaken)) throw error;
      }
    }
    throw new UsernameTaken();
  }

  /** Account, identity and record commit together. */
  private async enrol(
    tx: Tx,
    actor: Actor,
    provider: ProviderSettings,
    username: string,
    { person, email, role }: Newcomer,
  ): Promise<UserIdentity> {
    const user =
      provider.provision === 'invited'
        ? await this.invitations.acceptProven(tx, actor, { email, username, role })
        : await this.accounts.add(tx, actor, {
            username,
            email,
            hashedPassword: NO_PASSWORD,
            role: role ?? REGISTERED_AS,
          });
    if (user === null) throw new IdentityUnknown();
    const identity = await this.identities.add(tx, user.id, provider, person);
    await this.audit.record(tx, actor, {
      action: 'identity.provisioned',
      targetKind: 'user',
      targetId: user.id,
      details: { provider: provider.id, identity_id: identity.id, role: user.role },
    });
    return identity;
  }

  /**
   * On record as the provider's doing. The last superadmin and the break-glass account stay what they are: there would be nobody
   * left to correct the claim.
   */
  private async changeRole({ id: provider }: ProviderSettings, user: User, role: Role): Promise<void> {
    try {
      await this.accounts.change({ kind: 'system', name: `openid:${provider}` }, user.id, { role });
    } catch (error) {
      if (!(error instanceof LastAdmin || error instanceof BreakGlassStays)) throw error;
    }
  }
}
