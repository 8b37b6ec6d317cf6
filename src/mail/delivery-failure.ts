/**
 * What became of an attempt to hand a message over.
 * refused: the server said no for good (5xx) · postponed: no for now, for this recipient (4xx) ·
 * outage: the server itself was not to be had (no connection, time-out, cut off, 421).
 */
export type FailureKind = 'refused' | 'postponed' | 'outage';

interface SmtpError {
  readonly code?: unknown;
  readonly responseCode?: unknown;
  readonly command?: unknown;
}

/** Answers to these say something about the message or its addresses; whatever comes before is between the servers. */
const ABOUT_THE_MESSAGE = /^(MAIL FROM|RCPT TO|DATA|API)/;
/** 421 closes the channel (RFC 5321, 3.8); 530 and 538 ask for sign-in or encryption first (RFC 4954, 6; RFC 3207, 4). */
const ABOUT_THE_CHANNEL = new Set([421, 530, 538]);

/**
 * Sorts an error of nodemailer by the server's reply code (RFC 5321, 4.2.1) and by the command it answered. Trouble between
 * the servers, a password that is not accepted included, is the operator's to mend: nothing is given up for it.
 */
export function classify(error: unknown): FailureKind {
  const { responseCode, code, command } = (error ?? {}) as SmtpError;
  if (code === 'EAUTH' || code === 'ENOAUTH' || code === 'ETLS' || code === 'EPROTOCOL') return 'outage';
  if (typeof command === 'string' && !ABOUT_THE_MESSAGE.test(command)) return 'outage';
  if (typeof responseCode !== 'number') return code === 'EENVELOPE' ? 'refused' : 'outage';
  if (ABOUT_THE_CHANNEL.has(responseCode)) return 'outage';
  return responseCode >= 500 ? 'refused' : 'postponed';
}
