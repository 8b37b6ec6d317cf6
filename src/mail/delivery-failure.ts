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

/** Sorts an error of nodemailer. RFC 5321, 4.2.1 (reply codes) and 3.8 (421 closes the channel). */
export function classify(error: unknown): FailureKind {
  const { responseCode, code } = (error ?? {}) as SmtpError;
  // A server that does not accept our password refuses everybody; the operator can mend it, so nothing is given up.
  if (code === 'EAUTH' || code === 'ENOAUTH') return 'outage';
  if (typeof responseCode !== 'number') return code === 'EENVELOPE' ? 'refused' : 'outage';
  if (responseCode === 421) return 'outage';
  return responseCode >= 500 ? 'refused' : 'postponed';
}
