const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
]);

/**
 * Whether PostgreSQL could not be reached or ended the connection: SQLSTATE class 08, 57P01 to 57P03, 53300, or what
 * `pg` and its pool say when a connection is lost, refused or not to be had in time.
 */
export function isDatabaseAway(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { code, driverError } = thrown as { code?: unknown; driverError?: unknown };
  if (driverError !== undefined && driverError !== thrown && isDatabaseAway(driverError)) return true;
  if (typeof code === 'string' && (/^08|^57P0[1-3]$|^53300$/.test(code) || CONNECTION_CODES.has(code))) return true;
  if (thrown instanceof AggregateError && thrown.errors.some(isDatabaseAway)) return true;
  return /Connection terminated|timeout expired|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable/i.test(
    thrown.message,
  );
}
