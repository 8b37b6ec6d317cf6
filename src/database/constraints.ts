/** Whether the database refused a row because of this named constraint or unique index (SQLSTATE class 23). */
export function violates(error: unknown, constraint: string): boolean {
  const { driverError } = error as { driverError?: { code?: string; constraint?: string } };
  return driverError?.code?.startsWith('23') === true && driverError.constraint === constraint;
}
