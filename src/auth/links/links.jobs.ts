import type { JobDefinition } from '../../jobs/jobs.service.js';
import type { LinkPurpose } from './mailed-links.repository.js';

/** Mails a link that somebody asked for. Made for addresses that nobody has as well, whose job finds nobody. */
export const MAIL_LINK: JobDefinition<MailLink> = { name: 'auth.mail_link', maxAttempts: 10 };

export interface MailLink {
  readonly request_id: string;
  readonly purpose: LinkPurpose;
  /** Sealed: it may be anybody's. */
  readonly email: string;
  readonly locale: string;
  /** Whose address is to be changed; absent for other purposes. */
  readonly user_id?: string | undefined;
  /** SHA-256 in base64url of what only the browser that asks has. */
  readonly browser_hash?: string | undefined;
}
