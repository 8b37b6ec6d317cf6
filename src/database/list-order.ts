/** The order of a list, by one expression and then by id, which makes it total. Constants of a repository, never text of a caller. */
export interface ListOrder {
  /** Over the table `t`, such as `t.created_at`; there is an index on it and the id. */
  readonly by: string;
  /** The type of its values in PostgreSQL. */
  readonly type: 'text' | 'timestamptz' | 'lead_status';
  readonly direction: 'asc' | 'desc';
  /** Whether rows without a value sort below all others; otherwise every row has one. */
  readonly hasGaps?: boolean;
}

/** Where in such an order a row stands; the value as text, which loses nothing of it. */
export interface Place {
  readonly value: string | null;
  readonly id: string;
}

/** What stands behind ORDER BY. Backwards, the last row comes first. */
export function orderText({ by, direction, hasGaps = false }: ListOrder, isBackwards = false): string {
  const isAscending = (direction === 'asc') !== isBackwards;
  const word = isAscending ? 'ASC' : 'DESC';
  const gaps = hasGaps ? ` NULLS ${isAscending ? 'FIRST' : 'LAST'}` : '';
  return `${by} ${word}${gaps}, t.id ${word}`;
}

/**
 * The conditions of the rows behind a place; where there are two, the rows of the first come before those of the second, and
 * each is one range of the index, which a condition with OR is not. `parameter` takes a value and gives its place in the text.
 */
export function conditionsBehind(
  { by, type, direction, hasGaps = false }: ListOrder,
  { value, id }: Place,
  parameter: (value: unknown) => string,
): readonly string[] {
  const sign = direction === 'asc' ? '>' : '<';
  if (value === null) {
    const behind = `${by} IS NULL AND t.id ${sign} ${parameter(id)}::uuid`;
    return direction === 'asc' ? [behind, `${by} IS NOT NULL`] : [behind];
  }
  const behind = `(${by}, t.id) ${sign} (${parameter(value)}::${type}, ${parameter(id)}::uuid)`;
  return hasGaps && direction === 'desc' ? [behind, `${by} IS NULL`] : [behind];
}
