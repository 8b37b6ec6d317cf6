import pg from 'pg';

/**
 * Whether the transaction that this error came out of was surely rolled back: the database itself reported the error. Not
 * so when the connection broke (class 08) or the server went away (57P): then a commit may have been done unheard.
 */
export function isSurelyRolledBack(error: unknown): boolean {
  const { driverError } = error as { driverError?: unknown };
  return driverError instanceof pg.DatabaseError && !/^(08|57P)/.test(driverError.code ?? '08');
}

/** Whether the database refused a row because of this named constraint or unique index (SQLSTATE class 23). */
export function violates(error: unknown, constraint: string): boolean {
  const { driverError } = error as { driverError?: { code?: string; constraint?: string } };
  return driverError?.code?.startsWith('23') === true && driverError.constraint === constraint;
}
