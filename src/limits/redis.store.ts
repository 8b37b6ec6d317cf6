import { createClient } from '@redis/client';
import { createHash } from 'node:crypto';
import type { CountsByKey, RateLimitStore } from './rate-limit.store.js';
import { type Counts, firstSecondOf, lastSecondOf, type Usage, usageOf, WINDOW_SECONDS } from './sliding-window.js';

const PREFIX = 'forecourt:limit:';
const CONNECT_WITHIN_MS = 2000;
const LONGEST_WAIT_MS = 5000;

/** A hash for each key, its fields the seconds. A script runs by itself, so that requests at once take turns. */
const COUNTS = `
  local counts, used = {}, 0
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    local second = tonumber(fields[i])
    if second < first or second > last then redis.call('HDEL', key, fields[i])
    else
      used = used + tonumber(fields[i + 1])
      table.insert(counts, fields[i])
      table.insert(counts, fields[i + 1])
    end
  end`;
const TAKE = `
  local key, first, last, second, limit, lifetime = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
  ${COUNTS}
  if used >= limit then return {0, unpack(counts)} end
  redis.call('HINCRBY', key, second, 1)
  redis.call('EXPIRE', key, lifetime)
  table.insert(counts, second)
  table.insert(counts, 1)
  return {1, unpack(counts)}`;
const ADD = `
  local key, first, last, lifetime = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
  for i = 4, #ARGV, 2 do redis.call('HINCRBY', key, ARGV[i], ARGV[i + 1]) end
  redis.call('EXPIRE', key, lifetime)
  ${COUNTS}
  return counts`;

const hashOf = (script: string): string => createHash('sha1').update(script).digest('hex');

/** For installations of many processes that have a Redis 6 or newer, or a Valkey. */
export class RedisStore implements RateLimitStore {
  private readonly client: ReturnType<typeof createClient>;

  /** Connects in the background, again and again; until it is connected every call fails at once. */
  constructor(url: string, onTrouble: (error: unknown) => void) {
    this.client = createClient({
      url,
      disableOfflineQueue: true,
      socket: {
        connectTimeout: CONNECT_WITHIN_MS,
        reconnectStrategy: (retries) => Math.min(LONGEST_WAIT_MS, 100 * 2 ** retries),
      },
    });
    this.client.on('error', onTrouble);
    this.client.connect().catch(onTrouble);
  }

  async take(key: string, limit: number, second: number): Promise<Usage> {
    const [isTaken, ...counts] = await this.run(TAKE, key, [
      firstSecondOf(second),
      lastSecondOf(second),
      second,
      limit,
      WINDOW_SECONDS + 2,
    ]);
    return usageOf(countsOf(counts), second, Number(isTaken) === 1);
  }

  async add(counted: CountsByKey, second: number): Promise<CountsByKey> {
    const all = await Promise.all(
      [...counted].map(async ([key, counts]) => {
        const values = [firstSecondOf(second), lastSecondOf(second), WINDOW_SECONDS + 2, ...[...counts].flat()];
        return [key, countsOf(await this.run(ADD, key, values))] as const;
      }),
    );
    return new Map(all);
  }

  close(): Promise<void> {
    this.client.destroy();
    return Promise.resolve();
  }

  private async run(script: string, key: string, values: readonly number[]): Promise<unknown[]> {
    const rest = ['1', `${PREFIX}${key}`, ...values.map(String)];
    try {
      return await this.client.sendCommand<unknown[]>(['EVALSHA', hashOf(script), ...rest]);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.client.sendCommand<unknown[]>(['EVAL', script, ...rest]);
    }
  }
}

/** Pairs of second and count; a second that comes twice counts twice. */
function countsOf(pairs: readonly unknown[]): Counts {
  const counts = new Map<number, number>();
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    const second = Number(pairs[index]);
    counts.set(second, (counts.get(second) ?? 0) + Number(pairs[index + 1]));
  }
  return counts;
}
