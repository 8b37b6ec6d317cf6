import { conditionsBehind, type ListOrder, orderText, type Place } from './list-order.js';

/** A condition of a list: a constant of its repository, with ? wherever its value stands. */
export interface Condition {
  readonly text: string;
  readonly value: unknown;
}

/** Which rows a list has, what is read of them, and how many there are. */
export interface Listed {
  readonly table: string;
  /** Columns by the names that they shall have; the table is `t`. */
  readonly selection: string;
  readonly conditions: readonly Condition[];
  /** What follows of the conditions, so that an index is of use. */
  readonly implied?: readonly string[];
  /** The number of all rows that match, in SQL, without SELECT and WHERE. */
  readonly total: string;
  readonly order: ListOrder;
}

/** Where the rows of a page are: behind so many others, or behind a place. */
export type Whereabouts = { readonly offset: number } | { readonly after: Place };

export interface Statement {
  /** Depends on what is asked for, never on its values. */
  readonly text: string;
  readonly values: unknown[];
}

/** Behind so many rows a page is looked for from the nearer end, and by ids alone; before, that costs more than it saves. */
const DEEP = 1000;

const whereText = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;

/**
 * One page and the number of all rows that match, from one snapshot. All rows of the answer say `page_total`; those of the page,
 * which alone have an id, say `page_place`, the value that orders them. When others follow the page, there is one row more.
 */
export function pageStatement(listed: Listed, size: number, where: Whereabouts): Statement {
  const { table, selection, order, implied = [] } = listed;
  const values: unknown[] = [];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const limit = `${parameter(size + 1)}::int`;
  const conditions = listed.conditions.map(({ text, value }) => {
    const place = parameter(value);
    return text.replaceAll('?', () => place);
  });
  const from = (behind: readonly string[]): string =>
    `FROM ${table} AS t ${whereText([...conditions, ...implied, ...behind])}`;
  const select = `SELECT ${selection}, (${order.by})::text AS page_place`;
  const inOrder = `ORDER BY ${orderText(order)}`;

  const found = (behind: readonly string[], range: string): string => `${select} ${from(behind)} ${inOrder} ${range}`;

  const page = (): string => {
    if ('after' in where) {
      const [first = '', second] = conditionsBehind(order, where.after, parameter);
      if (second === undefined) return found([first], `LIMIT ${limit}`);
      const part = (behind: string): string => `(SELECT t.* ${from([behind])} ${inOrder} LIMIT ${limit})`;
      return `${select} FROM (${part(first)} UNION ALL ${part(second)}) AS t ${inOrder} LIMIT ${limit}`;
    }
    const offset = `${parameter(where.offset)}::int`;
    if (where.offset < DEEP) return found([], `LIMIT ${limit} OFFSET ${offset}`);
    const ids = idsFromNearerEnd(from([]), order, limit, offset);
    return `${select} FROM ${table} AS t WHERE t.id = ANY (${ids}) ${inOrder}`;
  };

  const text = `WITH counted AS MATERIALIZED (SELECT (SELECT ${listed.total} ${whereText(conditions)})::bigint AS total)
    SELECT counted.total::text AS page_total, paged.* FROM counted LEFT JOIN LATERAL (${page()}) AS paged ON true`;
  return { text, values };
}

/** Walks from the beginning or from the end of the list, whatever is nearer; what is walked over comes from the index alone. */
function idsFromNearerEnd(from: string, order: ListOrder, limit: string, offset: string): string {
  const total = '(SELECT total FROM counted)';
  const isNearEnd = `${offset} > ${total} / 2`;
  const ids = (isBackwards: boolean, count: string, skipped: string): string =>
    `ARRAY(SELECT t.id ${from} ORDER BY ${orderText(order, isBackwards)} LIMIT ${count} OFFSET ${skipped})`;
  const forwards = ids(false, `CASE WHEN ${isNearEnd} THEN 0 ELSE ${limit} END`, offset);
  const backwards = ids(
    true,
    `CASE WHEN ${isNearEnd} THEN greatest(least(${limit}, ${total} - ${offset}), 0) ELSE 0 END`,
    `greatest(${total} - ${offset} - ${limit}, 0)`,
  );
  return `${forwards} || ${backwards}`;
}
