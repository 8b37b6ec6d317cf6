import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AuditService } from '../../audit/audit.service.js';
import { type Actor, nameOf } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import { UnprocessableFields } from '../../common/errors.js';
import type { Rows } from '../../common/pagination.js';
import { hashOfSecret, newRandomSecret } from '../../common/random-secret.js';
import { CONFIG, type Config } from '../../config/config.js';
import { Transactions, type Tx } from '../../database/transactions.js';
import { MailService } from '../../mail/mail.service.js';
import type { Role } from '../../users/role.js';
import { UserEmailTaken } from '../../users/users.errors.js';
import { type NewUser, type User, UsersService } from '../../users/users.service.js';
import { AccountRights } from '../accounts/account-rights.js';
import { AccountsService } from '../accounts/accounts.service.js';
import { InvalidInvitation, InvitationEnded, InvitationNotFound } from '../auth.errors.js';
import { invitationMail } from '../auth.mails.js';
import { NO_PASSWORD, PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordPolicy } from '../passwords/password-policy.js';
import { Invitation } from './invitation.entity.js';
import { InvitationsRepository } from './invitations.repository.js';

export type { Invitation };

export interface InvitationRequest {
  readonly email: string;
  readonly role: Role;
  readonly username?: string | undefined;
}

export interface AcceptanceRequest {
  readonly token: string;
  readonly password: string;
  readonly username?: string | undefined;
}

const VALID_FOR_MS = 72 * 60 * 60_000;

/**
 * Accounts that their owners make themselves, with a link that works once and for 72 hours. Only the hash of its token is
 * kept, and the mail that carries it is sealed until it is sent.
 */
@Injectable()
export class InvitationsService {
  constructor(
    private readonly invitations: InvitationsRepository,
    private readonly users: UsersService,
    private readonly accounts: AccountsService,
    private readonly rights: AccountRights,
    private readonly policy: PasswordPolicy,
    private readonly hasher: PasswordHasher,
    private readonly audit: AuditService,
    private readonly mail: MailService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async list(page: number, size: number): Promise<Rows<Invitation>> {
    return this.invitations.listPage(page, size);
  }

  /** Owes somebody a link. Throws `Forbidden`, `UserEmailTaken` or `AlreadyInvited`. */
  async invite(actor: Actor, request: InvitationRequest): Promise<Invitation> {
    if ((await this.users.findForSignIn(request.email)) !== null) throw new UserEmailTaken();
    return this.transactions.run(actor, async (tx) => {
      await this.rights.require(tx, actor, [request.role]);
      return this.issue(tx, actor, request);
    });
  }

  /**
   * Sends a new link, and the one before works no more: a new invitation takes the place of the other. Throws
   * `InvitationNotFound`, `InvitationEnded` or `Forbidden`.
   */
  async resend(actor: Actor, id: string): Promise<Invitation> {
    return this.transactions.run(actor, async (tx) => {
      const { email, role, username } = await this.end(tx, actor, id);
      return this.issue(tx, actor, { email, role, username: username ?? undefined });
    });
  }

  /** Makes the link worthless. Throws `InvitationNotFound`, `InvitationEnded` or `Forbidden`. */
  async revoke(actor: Actor, id: string): Promise<void> {
    await this.transactions.run(actor, async (tx) => {
      await this.end(tx, actor, id);
    });
  }

  /**
   * Makes the account. Of any number at once with the same link one succeeds. Throws `UnprocessableFields`,
   * `InvalidInvitation` after the same work for whatever reason, `UsernameTaken` or `UserEmailTaken`.
   */
  async accept(actor: Actor, { token, password, username }: AcceptanceRequest): Promise<User> {
    const tokenHash = hashOfSecret(token);
    const found = await this.invitations.findByTokenHash(tokenHash);
    const invited = found?.isValid(this.clock.now()) === true ? found : undefined;
    this.policy.require(password, { username: username ?? invited?.username ?? undefined, email: invited?.email });
    const hashedPassword = await this.hasher.hash(password);
    if (invited === undefined) throw new InvalidInvitation();
    const chosen = username ?? invited.username;
    if (chosen === null) throw new UnprocessableFields({ fieldErrors: { username: ['This field is required'] } });
    return this.transactions.run(actor, async (tx) => {
      // in the order of every change of rights: superadmins, then others, then the invitation
      await this.users.beginChangeOfRights(tx);
      const invitation = await this.invitations.lockByTokenHash(tx, tokenHash);
      const { email, role } = invited;
      if (invitation?.isValid(this.clock.now()) !== true || !(await this.isStillMeant(tx, invitation)))
        throw new InvalidInvitation();
      return this.fulfil(tx, actor, invitation, { username: chosen, email, hashedPassword, role });
    });
  }

  /**
   * Makes the account of whoever was invited at an address that a provider vouches for; it has no password. The role is that
   * of the invitation unless the provider says another. Null when nobody is invited there. Throws `UsernameTaken` or
   * `UserEmailTaken`.
   */
  async acceptProven(
    tx: Tx,
    actor: Actor,
    proven: { readonly email: string; readonly username: string; readonly role: Role | undefined },
  ): Promise<User | null> {
    await this.users.beginChangeOfRights(tx);
    const invitation = await this.invitations.lockOpenByEmail(tx, proven.email);
    if (invitation?.isValid(this.clock.now()) !== true || !(await this.isStillMeant(tx, invitation))) return null;
    const { email } = invitation;
    const username = invitation.username ?? proven.username;
    return this.fulfil(tx, actor, invitation, {
      username,
      email,
      hashedPassword: NO_PASSWORD,
      role: proven.role ?? invitation.role,
    });
  }

  private async fulfil(tx: Tx, actor: Actor, invitation: Invitation, account: NewUser): Promise<User> {
    invitation.acceptedAt = this.clock.now();
    await this.invitations.update(tx, invitation, ['acceptedAt']);
    const user = await this.accounts.add(tx, actor, account);
    await this.record(tx, actor, 'invitation.accepted', invitation, { user_id: user.id });
    return user;
  }

  /** Whoever was put out leaves no door open behind them. */
  private async isStillMeant(tx: Tx, { invitedById, role }: Invitation): Promise<boolean> {
    return invitedById === null || this.rights.mayManage(tx, invitedById, [role]);
  }

  private async issue(tx: Tx, actor: Actor, { email, role, username }: InvitationRequest): Promise<Invitation> {
    const token = newRandomSecret();
    const createdAt = this.clock.now();
    const invitation = Object.assign(new Invitation(), {
      id: randomUUID(),
      email,
      username: username ?? null,
      role,
      tokenHash: token.hash,
      invitedById: actor.kind === 'user' ? actor.id : null,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + VALID_FOR_MS),
      acceptedAt: null,
      revokedAt: null,
    });
    await this.invitations.insert(tx, invitation);
    await this.record(tx, actor, 'invitation.sent', invitation, { role });
    const { companyName, dashboardUrl } = this.config.mail;
    const inviter = actor.kind === 'user' ? nameOf(actor) : companyName;
    const mail = invitationMail(invitation, inviter, token.text, dashboardUrl);
    await this.mail.queue(tx, { kind: 'invitation', id: invitation.id }, [mail]);
    return invitation;
  }

  private async end(tx: Tx, actor: Actor, id: string): Promise<Invitation> {
    await this.rights.require(tx, actor, []);
    const invitation = await this.invitations.lockById(tx, id);
    if (invitation === null) throw new InvitationNotFound();
    await this.rights.require(tx, actor, [invitation.role]);
    if (!invitation.isOpen) throw new InvitationEnded();
    invitation.revokedAt = this.clock.now();
    await this.invitations.update(tx, invitation, ['revokedAt']);
    await this.record(tx, actor, 'invitation.revoked', invitation);
    return invitation;
  }

  private record(tx: Tx, actor: Actor, action: string, { id }: Invitation, details = {}): Promise<void> {
    return this.audit.record(tx, actor, { action, targetKind: 'invitation', targetId: id, details });
  }
}
