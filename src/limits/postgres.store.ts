import type { Database } from '../database/database.js';
import type { CountsByKey, RateLimitStore } from './rate-limit.store.js';
import { type Counts, firstSecondOf, lastSecondOf, type Usage, usageOf } from './sliding-window.js';

const SWEEP_EVERY_MS = 300_000;

interface Row {
  readonly key: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly was_taken: boolean;
}

const countsOf = ({ counts }: Row): Counts =>
  new Map(Object.entries(counts).map(([second, count]) => [Number(second), count]));

/**
 * One row for each key, one statement for each request. ON CONFLICT locks the row before it computes the new one from it, so
 * that requests at once take turns.
 */
export class PostgresStore implements RateLimitStore {
  private readonly sweeper: NodeJS.Timeout;
  private lastSecond = 0;

  constructor(private readonly database: Database) {
    this.sweeper = setInterval(() => void this.sweep(), SWEEP_EVERY_MS);
  }

  async take(key: string, limit: number, second: number): Promise<Usage> {
    this.lastSecond = second;
    const [row] = await this.database.read<Row>(
      `INSERT INTO rate_limits AS r (key, counts, was_taken, last_second)
       VALUES ($1, CASE WHEN $3 > 0 THEN jsonb_build_object($2::text, 1) ELSE '{}' END, $3 > 0, $2::bigint)
       ON CONFLICT (key) DO UPDATE SET (counts, was_taken, last_second) = (
         SELECT CASE WHEN used < $3
             THEN kept || jsonb_build_object($2::text, coalesce((kept->>($2::text))::int, 0) + 1) ELSE kept END,
           used < $3, greatest(r.last_second, $2::bigint)
         FROM (SELECT coalesce(jsonb_object_agg(e.key, e.value), '{}') AS kept, coalesce(sum(e.value::int), 0) AS used
               FROM jsonb_each(r.counts) AS e WHERE e.key::bigint BETWEEN $4 AND $5) AS kept_counts)
       RETURNING key, counts, was_taken`,
      [key, second, limit, firstSecondOf(second), lastSecondOf(second)],
    );
    if (row === undefined) throw new Error('PostgreSQL counted nothing');
    return usageOf(countsOf(row), second, row.was_taken);
  }

  async add(counted: CountsByKey, second: number): Promise<CountsByKey> {
    this.lastSecond = second;
    // in one order, so that two processes never wait for each other
    const keys = [...counted.keys()].sort();
    const rows = await this.database.read<Row>(
      `INSERT INTO rate_limits AS r (key, counts, was_taken, last_second)
       SELECT key, counts, true, $3 FROM unnest($1::text[], $2::jsonb[]) AS given (key, counts)
       ON CONFLICT (key) DO UPDATE SET was_taken = true, last_second = greatest(r.last_second, $3), counts = (
         SELECT coalesce(jsonb_object_agg(key, count), '{}')
         FROM (SELECT e.key, sum(e.value::int) AS count
               FROM (SELECT * FROM jsonb_each(r.counts) UNION ALL SELECT * FROM jsonb_each(excluded.counts)) AS e
               WHERE e.key::bigint BETWEEN $4 AND $5 GROUP BY e.key) AS kept_counts)
       RETURNING key, counts, was_taken`,
      [
        keys,
        keys.map((key) => JSON.stringify(Object.fromEntries(counted.get(key) ?? []))),
        second,
        firstSecondOf(second),
        lastSecondOf(second),
      ],
    );
    return new Map(rows.map((row) => [row.key, countsOf(row)]));
  }

  close(): Promise<void> {
    clearInterval(this.sweeper);
    return Promise.resolve();
  }

  /** Removes the rows of those who stay away. */
  async sweep(): Promise<void> {
    // the database may be away, which whoever counts next says
    await this.database
      .read('DELETE FROM rate_limits WHERE last_second < $1', [firstSecondOf(this.lastSecond)])
      .catch(() => undefined);
  }
}
