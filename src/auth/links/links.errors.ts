import { refusal } from '../../common/errors.js';

/** Whether it never was, was used, was replaced, has expired or is for something else: a stranger hears no more. */
export class InvalidLink extends refusal(403, 'INVALID_LINK', 'The link is not valid any more: ask for a new one') {}
export class MagicLinksOff extends refusal(403, 'MAGIC_LINKS_OFF', 'Signing in by mailed link is switched off here') {}
export class EmailNotVerified extends refusal(
  403,
  'EMAIL_NOT_VERIFIED',
  'Verify your e-mail address first: open the link that was mailed to you, or ask for a new one',
) {}
