import type { OutgoingMail } from '../mail/mail.service.js';
import type { User } from '../users/users.service.js';
import type { ApiKey } from './api-keys/api-key.entity.js';
import type { Invitation } from './invitations/invitation.entity.js';

/** The token stands behind the #, which browsers send to no server and in no Referer. */
export function linkTo(page: string, token: string): string {
  return `${page}#token=${token}`;
}

/** `2026-01-31 10:30 UTC` */
export const writtenTime = (time: Date): string => `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

export function invitationMail(
  { email, expiresAt }: Invitation,
  inviter: string,
  token: string,
  dashboardUrl: string,
): OutgoingMail {
  return {
    template: 'invitation',
    recipient: email,
    data: {
      inviter,
      accept_url: linkTo(`${dashboardUrl}/accept-invitation`, token),
      expires_at: writtenTime(expiresAt),
    },
  };
}

/** What the owner of an account reads when too many sign-ins at it failed. */
export function signInLockedMail({ email, username }: User, lockedAt: Date, lockedUntil: Date): OutgoingMail {
  return {
    template: 'sign_in_locked',
    recipient: email,
    data: { username, locked_at: writtenTime(lockedAt), locked_until: writtenTime(lockedUntil) },
  };
}

/** So that nobody changes a password behind its owner's back (ASVS 5.0, 6.3.7). */
export function passwordChangedMail({ email, username }: User, changedAt: Date): OutgoingMail {
  return {
    template: 'password_changed',
    recipient: email,
    data: { username, changed_at: writtenTime(changedAt) },
  };
}

/** So that nobody makes a key, or another secret for one, behind its owner's back. A key that never expires has no time. */
export function apiKeyCreatedMail({ email, username }: User, key: ApiKey): OutgoingMail {
  const { name, prefix, createdAt, rotatedAt, expiresAt, scopes } = key;
  return {
    template: 'api_key_created',
    recipient: email,
    data: {
      username,
      key_name: name,
      key_prefix: prefix,
      scopes: scopes.join(', '),
      created_at: writtenTime(rotatedAt ?? createdAt),
      expires_at: expiresAt === null ? '' : writtenTime(expiresAt),
    },
  };
}

/** Of a key that expires. */
export function apiKeyExpiresMail({ email, username }: User, { name, prefix, expiresAt }: ApiKey): OutgoingMail {
  return {
    template: 'api_key_expires',
    recipient: email,
    data: {
      username,
      key_name: name,
      key_prefix: prefix,
      expires_at: expiresAt === null ? '' : writtenTime(expiresAt),
    },
  };
}
