import { maskEmails } from '../../common/privacy.js';
import type { OutgoingMail } from '../../mail/mail.service.js';
import type { User } from '../../users/users.service.js';
import { linkTo, writtenTime } from '../auth.mails.js';
import type { IssuedLink } from './mailed-links.js';

/** Where the links of mails lead; never made of anything that a request says. */
interface Pages {
  readonly dashboardUrl: string;
}

export function verificationMail({ username, email }: User, link: IssuedLink, { dashboardUrl }: Pages): OutgoingMail {
  const url = linkTo(`${dashboardUrl}/verify-email`, link.token);
  return {
    template: 'email_verification',
    recipient: email,
    data: { username, verify_url: url, expires_at: writtenTime(link.expiresAt) },
  };
}

export function passwordResetMail({ username, email }: User, link: IssuedLink, { dashboardUrl }: Pages): OutgoingMail {
  const url = linkTo(`${dashboardUrl}/reset-password`, link.token);
  return {
    template: 'password_reset',
    recipient: email,
    data: { username, reset_url: url, expires_at: writtenTime(link.expiresAt) },
  };
}

export function magicLinkMail(email: string, link: IssuedLink, { dashboardUrl }: Pages): OutgoingMail {
  const url = linkTo(`${dashboardUrl}/auth/magic-link`, link.token);
  return {
    template: 'magic_link',
    recipient: email,
    data: { sign_in_url: url, expires_at: writtenTime(link.expiresAt) },
  };
}

/** To the new address. */
export function emailChangeMail(
  { username }: User,
  newEmail: string,
  link: IssuedLink,
  { dashboardUrl }: Pages,
): OutgoingMail {
  const url = linkTo(`${dashboardUrl}/confirm-email`, link.token);
  return {
    template: 'email_change',
    recipient: newEmail,
    data: { username, confirm_url: url, expires_at: writtenTime(link.expiresAt) },
  };
}

/** To the address that is to be given up. The new one is shown in part: whoever reads this may not be its owner. */
export function emailChangeNotice({ username, email }: User, newEmail: string, requestedAt: Date): OutgoingMail {
  return {
    template: 'email_change_notice',
    recipient: email,
    data: { username, new_email: maskEmails(newEmail), requested_at: writtenTime(requestedAt) },
  };
}

/** To whoever has the address already that somebody else asked for. */
export function emailTakenMail({ username, email }: User, requestedAt: Date): OutgoingMail {
  return { template: 'email_taken', recipient: email, data: { username, requested_at: writtenTime(requestedAt) } };
}

/** To the address that was given up. */
export function emailChangedMail(
  { username }: User,
  addresses: { readonly from: string; readonly to: string },
  changedAt: Date,
): OutgoingMail {
  return {
    template: 'email_changed',
    recipient: addresses.from,
    data: { username, new_email: maskEmails(addresses.to), changed_at: writtenTime(changedAt) },
  };
}
