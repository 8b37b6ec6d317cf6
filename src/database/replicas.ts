import type { Logger } from 'pino';
import { isDatabaseAway } from '../common/database-away.js';
import { type PrimaryState, stateOfPrimary, whyNotOf } from './primary-state.js';
import type { Query } from './query.js';
import { Replica } from './replica.js';
import { WriteMarks } from './write-marks.js';

const LOOK_EVERY_MS = 1_000;
/** What somebody sees who has not written themselves is older than this by a second at most. */
export const STALE_AFTER_MS = 5_000;

/** How a replica is, as it was last seen. */
export interface ReplicaHealth {
  /** From 1, in the order of DATABASE_REPLICA_URLS. Addresses hold passwords. */
  readonly number: number;
  readonly isUsable: boolean;
  /** How long ago the primary was where the replica is now. */
  readonly lagMs: number;
}

export type ReadOutcome = 'replica' | 'behind' | 'failed' | 'none';

interface Watched {
  readonly number: number;
  readonly replica: Replica;
  /** Why it is not read from. */
  trouble: string | undefined;
  /** By the monotonic clock: when the primary was where the replica has come to. */
  caughtUpAt: number;
}

/** Where the primary's log had come to at a time. */
interface Sample {
  readonly at: number;
  readonly place: bigint;
}

/**
 * The replicas of DATABASE_REPLICA_URLS, asked in turn. One answers whoever has written nothing that it lacks, and nobody once it
 * is more than five seconds behind; all else is the primary's. A replica that is away, slow or behind costs time at most: the
 * primary then reads the same.
 */
export class Replicas {
  private readonly watched: readonly Watched[];
  private readonly marks: WriteMarks;
  private readonly looking: NodeJS.Timeout;
  private look: Promise<void> | undefined;
  private samples: Sample[] = [];
  private primaryState: PrimaryState | undefined;
  private next = 0;
  /** Told of every read, once it is known who answered it. */
  onRead: (outcome: ReadOutcome) => void = () => undefined;

  constructor(
    urls: readonly string[],
    most: number,
    private readonly primary: Query,
    private readonly logger: Logger,
  ) {
    this.marks = new WriteMarks(primary);
    const now = performance.now();
    this.watched = urls.map((url, index) => ({
      number: index + 1,
      replica: new Replica(url, most, (error) => {
        this.logger.warn({ replica: index + 1, err: error }, 'a connection to a replica was lost');
      }),
      trouble: 'nobody has looked at it yet',
      caughtUpAt: now,
    }));
    this.looking = setInterval(() => {
      this.look ??= this.lookAtAll();
    }, LOOK_EVERY_MS).unref();
    this.look = this.lookAtAll();
  }

  /** Rows as the reader, a user, must see them: with all that they have written. The text must be constant. */
  async read<Row>(reader: string, text: string, values: readonly unknown[]): Promise<Row[]> {
    const chosen = this.choose();
    if (chosen === undefined) this.onRead('none');
    const rows = chosen === undefined ? undefined : await this.readFrom<Row>(chosen, reader, text, values);
    return rows ?? this.primary<Row>(text, values);
  }

  /** After what a user wrote has committed, and before they hear of it. Never throws: it is done. */
  async noteWrite(userId: string): Promise<void> {
    try {
      await this.marks.note(userId);
    } catch (error) {
      this.logger.warn(
        { err: error },
        'a write was not marked; a replica may answer its writer without it for some seconds',
      );
    }
  }

  health(): ReplicaHealth[] {
    const now = performance.now();
    return this.watched.map(({ number, trouble, caughtUpAt }) => ({
      number,
      isUsable: trouble === undefined,
      lagMs: now - caughtUpAt,
    }));
  }

  async close(): Promise<void> {
    clearInterval(this.looking);
    await this.look;
    await Promise.all(this.watched.map(({ replica }) => replica.close()));
  }

  private async readFrom<Row>(
    chosen: Watched,
    reader: string,
    text: string,
    values: readonly unknown[],
  ): Promise<Row[] | undefined> {
    const mark = this.marks.find(reader);
    mark.catch(() => undefined);
    let answer;
    try {
      answer = await chosen.replica.read<Row>(text, values);
    } catch (error) {
      this.logger.warn({ replica: chosen.number, err: error }, 'a replica did not answer; the primary does');
      // one that refuses a statement, or takes long for it, serves others; of any else the next look will say whether it is well
      if (!isOfStatement(error)) chosen.trouble = 'it did not answer';
      this.onRead('failed');
      return undefined;
    }
    const written = await mark;
    if (written === undefined || answer.replayed < written || answer.replayed < this.leastPlace()) {
      this.onRead('behind');
      return undefined;
    }
    this.onRead('replica');
    return answer.rows;
  }

  private choose(): Watched | undefined {
    const usable = this.watched.filter(({ trouble }) => trouble === undefined);
    this.next += 1;
    return usable[this.next % usable.length];
  }

  /** Where the primary was five seconds ago. */
  private leastPlace(): bigint {
    const old = this.samples.filter(({ at }) => at <= performance.now() - STALE_AFTER_MS);
    return (old.at(-1) ?? this.samples[0])?.place ?? 0n;
  }

  private async lookAtAll(): Promise<void> {
    try {
      await this.lookAtPrimary();
    } catch {
      // everybody who asks it hears of that
    }
    await Promise.all(this.watched.map((each) => this.lookAt(each)));
    this.look = undefined;
  }

  private async lookAtPrimary(): Promise<void> {
    const at = performance.now();
    const before = this.primaryState;
    const now = await stateOfPrimary(this.primary);
    this.primaryState = now;
    const isSame = now.system === before?.system && now.timeline === before.timeline;
    const kept = isSame ? this.samples.filter((sample) => sample.at > at - 2 * STALE_AFTER_MS) : [];
    this.samples = [...kept, { at, place: now.place }];
  }

  private async lookAt(watched: Watched): Promise<void> {
    const before = watched.trouble;
    let trouble: string | undefined;
    try {
      const state = await watched.replica.state();
      trouble = this.primaryState === undefined ? 'the primary is not known yet' : whyNotOf(this.primaryState, state);
      if (trouble === undefined) {
        const reached = this.samples.filter(({ place }) => place <= state.replayed).at(-1);
        if (reached !== undefined) watched.caughtUpAt = reached.at;
        if (state.replayed < this.leastPlace()) trouble = 'it is behind';
      }
    } catch (error) {
      trouble = error instanceof Error ? error.message : String(error);
    }
    watched.trouble = trouble;
    if (trouble === before) return;
    const { number: replica } = watched;
    if (trouble === undefined) this.logger.info({ replica }, 'a replica is read from');
    else this.logger.warn({ replica, reason: trouble }, 'a replica is not read from; the primary answers');
  }
}

/** Whether the server answered, though with a refusal: a SQLSTATE that does not say that it is away. */
function isOfStatement(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !isDatabaseAway(error);
}
