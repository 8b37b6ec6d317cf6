import { SealBroken } from '../common/sealed-values.js';

/**
 * What became of an attempt to hand a message over.
 * refused: the server said no for good (5xx) · postponed: no for now, for this recipient (4xx) ·
 * outage: the server itself was not to be had (no connection, time-out, cut off, 421, full) or does not take our mail
 * (password, sender).
 */
export type FailureKind = 'refused' | 'postponed' | 'outage';

export interface Failure {
  readonly kind: FailureKind;
  /** What the server said, or what was wrong; at most a thousand characters. */
  readonly words: string;
  readonly error: unknown;
}

interface SmtpError {
  readonly code?: unknown;
  readonly responseCode?: unknown;
  readonly response?: unknown;
  readonly command?: unknown;
}

/** The server answered, but never to the end. */
export class SendingTookTooLong extends Error {
  constructor(milliseconds: number, cause: unknown) {
    super(`the mail server did not take the message within ${milliseconds / 1000} seconds`, { cause });
  }
}

/**
 * Answers to these say something about the message or its recipient; whatever comes before is between the servers. So is the
 * answer to MAIL FROM: all mail has the same sender.
 */
const ABOUT_THE_MESSAGE = /^(RCPT TO|DATA|API)/;
/** 421 closes the channel (RFC 5321, 3.8); 530 and 538 ask for sign-in or encryption first (RFC 4954, 6; RFC 3207, 4). */
const ABOUT_THE_CHANNEL = new Set([421, 530, 538]);

/** Replies about the mailbox itself (RFC 5321, 4.2.3; 556: RFC 7504). */
const ABOUT_THE_MAILBOX = new Set([550, 551, 553, 556]);
/** Enhanced codes (RFC 3463) of a mailbox that is not there, moved, or is switched off. */
const MAILBOX_IS_GONE = /^\d{3}[ -]5\.(1\.([1-46]|10)|2\.1)\b/;
const ENHANCED_CODE = /^\d{3}[ -]5\.\d+\.\d+\b/;
/** Enhanced codes of a mail system that is full or not to be had, whoever the recipient is. */
const ABOUT_THE_SYSTEM = /^\d{3}[ -]4\.3\.\d/;
/** Servers that give no enhanced code speak like this of a mailbox that is not there, */
const NAMES_THE_MAILBOX = /user|mailbox|recipient|account|addressee|unrouteable|unroutable|no such/i;
/** and like this where they do not serve us, which is no fault of the recipient. */
const ABOUT_OUR_RIGHTS =
  /relay|authenticat|spam|block|blacklist|polic|sender|helo|ehlo|spf|dkim|dmarc|denied|prohibit|verif|reputation|listed/i;

export function failureOf(error: unknown): Failure {
  // PostgreSQL takes no NUL
  const words = error instanceof Error ? error.message.replace(/\p{Cc}+/gu, ' ').slice(0, 1000) : 'unknown error';
  return { kind: classify(error), words, error };
}

/**
 * Whether a refusal says that the recipient's mailbox takes no mail at all, rather than not this message or not from us:
 * said to the RCPT command, with a reply code or an enhanced code about the mailbox.
 */
export function isAboutRecipient(error: unknown): boolean {
  const { responseCode, response, command } = (error ?? {}) as SmtpError;
  if (command !== 'RCPT TO' || typeof responseCode !== 'number' || responseCode < 500) return false;
  const text = typeof response === 'string' ? response : '';
  if (ENHANCED_CODE.test(text)) return MAILBOX_IS_GONE.test(text);
  return ABOUT_THE_MAILBOX.has(responseCode) && NAMES_THE_MAILBOX.test(text) && !ABOUT_OUR_RIGHTS.test(text);
}

/**
 * Sorts an error of nodemailer by the server's reply code (RFC 5321, 4.2.1) and by the command it answered. Trouble between
 * the servers, a password or a sender that is not accepted included, is the operator's to mend: nothing is given up for it.
 */
export function classify(error: unknown): FailureKind {
  const { responseCode, response, code, command } = (error ?? {}) as SmtpError;
  // another SECRET_KEY without the one before: no waiting brings the value back
  if (error instanceof SealBroken) return 'refused';
  if (code === 'EAUTH' || code === 'ENOAUTH' || code === 'ETLS' || code === 'EPROTOCOL') return 'outage';
  if (isAboutSize({ code, responseCode, response })) return 'refused';
  if (typeof command === 'string' && !ABOUT_THE_MESSAGE.test(command)) return 'outage';
  if (typeof responseCode !== 'number') return code === 'EENVELOPE' ? 'refused' : 'outage';
  if (ABOUT_THE_CHANNEL.has(responseCode)) return 'outage';
  if (typeof response === 'string' && ABOUT_THE_SYSTEM.test(response)) return 'outage';
  return responseCode >= 500 ? 'refused' : 'postponed';
}

/** The message is larger than the server takes, by nodemailer's own count or in the server's words to MAIL FROM. */
function isAboutSize({ code, responseCode, response }: SmtpError): boolean {
  if (code === 'EMESSAGE' && responseCode === undefined && response === undefined) return true;
  return typeof response === 'string' && /^552[ -]5\.3\.4\b/.test(response);
}
