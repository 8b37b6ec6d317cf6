import pg from 'pg';

/**
 * Whether the transaction that this error came out of was surely rolled back: the database itself reported the error. Not
 * so when the connection broke (class 08) or the server went away (57P): then a commit may have been done unheard.
 */
export function isSurelyRolledBack(error: unknown): boolean {
  const reported = reportOf(error);
  return reported !== undefined && !/^(08|57P)/.test(reported.code ?? '08');
}

/** Whether the database refused a row because of this named constraint or unique index (SQLSTATE class 23). */
export function violates(error: unknown, constraint: string): boolean {
  const reported = reportOf(error);
  return reported?.code?.startsWith('23') === true && reported.constraint === constraint;
}

/** What PostgreSQL said, by itself or as TypeORM wraps it; undefined when it was somebody else. */
function reportOf(error: unknown): pg.DatabaseError | undefined {
  if (error instanceof pg.DatabaseError) return error;
  const { driverError } = (error ?? {}) as { driverError?: unknown };
  return driverError instanceof pg.DatabaseError ? driverError : undefined;
}
