import cluster, { type Worker } from 'node:cluster';
import type { Logger } from 'pino';
import type { Readiness } from './greeting.js';
import type { LogLevel } from '../common/logging.js';
import { variablesOf } from '../config/environment.js';

/** Whoever lived as long is not one that dies at its start. */
const LIVED_MS = 60_000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;

/** One place among the processes, and who has it. */
interface Place {
  readonly number: number;
  worker: Worker | undefined;
  startedAt: number;
  /** In a row, each soon after its start. */
  deaths: number;
  retry: NodeJS.Timeout | undefined;
  readiness: Readiness | undefined;
}

/**
 * Equal processes on one port. Each takes connections from the one queue of the port by itself (SCHED_NONE) instead of getting them
 * handed by the primary: what waits in the queue is served by the others when one dies or hangs, whereas a connection on its
 * way to a process that dies would hang for ever. The price is that idle processes share connections unevenly.
 */
export class Places {
  private readonly places: readonly Place[];
  private isStopping = false;
  private isUp = false;
  private isClean = true;
  private settle: { up: (readiness: Readiness) => void; failed: (error: Error) => void } | undefined;
  private ended: (() => void) | undefined;

  /** `level`: what a new process is told to log at, if not at LOG_LEVEL. */
  constructor(
    count: number,
    private readonly logger: Logger,
    private readonly level: () => LogLevel | undefined,
  ) {
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    this.places = Array.from({ length: count }, (_, number) => ({
      number,
      worker: undefined,
      startedAt: 0,
      deaths: 0,
      retry: undefined,
      readiness: undefined,
    }));
  }

  /** Resolves when all are ready. Rejects when one of them ends before that: then the start has failed. */
  start(): Promise<Readiness> {
    return new Promise((resolve, reject) => {
      this.settle = { up: resolve, failed: reject };
      for (const place of this.places) this.fill(place);
    });
  }

  /** Tells all to end as if each were alone. Resolves when they have; false when one did not end in good order. */
  async stop(): Promise<boolean> {
    this.isStopping = true;
    for (const { retry, worker } of this.places) {
      clearTimeout(retry);
      worker?.process.kill('SIGTERM');
    }
    await new Promise<void>((resolve) => {
      this.ended = resolve;
      this.endWhenEmpty();
    });
    return this.isClean;
  }

  setLevel(level: LogLevel): void {
    for (const { worker } of this.places) if (worker?.isConnected() === true) worker.send({ level });
  }

  private fill(place: Place): void {
    let worker: Worker;
    try {
      worker = cluster.fork(variablesOf({ number: place.number, isFirst: place.number === 0 && !this.isUp }));
    } catch (error) {
      this.noteDeath(place, null, codeOf(error));
      return;
    }
    Object.assign(place, { worker, startedAt: performance.now(), readiness: undefined });
    worker.on('error', (error) => {
      // there never was one: it will not end either
      if (worker.process.pid === undefined) this.noteGone(place, null, codeOf(error));
      // it died before it could be told something
      else this.logger.warn({ process: place.number, err: error }, 'a process could not be spoken to');
    });
    worker.on('message', (message: { readiness?: Readiness }) => {
      if (message.readiness !== undefined) this.noteReady(place, message.readiness);
    });
    worker.once('exit', (code, signal) => {
      this.noteGone(place, code, signal);
    });
  }

  private noteGone(place: Place, code: number | null, signal: string | null): void {
    place.worker = undefined;
    if (this.isStopping) this.noteEnd(code, signal);
    else this.noteDeath(place, code, signal);
  }

  private noteReady(place: Place, readiness: Readiness): void {
    place.readiness = readiness;
    if (this.isStopping) return;
    // before that it would not have heard it
    const level = this.level();
    if (level !== undefined) place.worker?.send({ level });
    if (this.isUp) {
      this.logger.info({ process: place.number, worker_pid: place.worker?.process.pid }, 'a process is there again');
      return;
    }
    const all = this.places.flatMap((each) => each.readiness ?? []);
    if (all.length < this.places.length) return;
    this.isUp = true;
    // the one that made the first admin knows the password
    this.settle?.up(all.find(({ newPassword }) => newPassword !== undefined) ?? readiness);
  }

  private noteEnd(code: number | null, signal: string | null): void {
    // SIGTERM: before it could listen to it
    if (code !== 0 && signal !== 'SIGTERM') this.isClean = false;
    this.endWhenEmpty();
  }

  private noteDeath(place: Place, code: number | null, signal: string | null): void {
    const how = code ?? signal;
    if (!this.isUp) {
      this.settle?.failed(new Error(`process ${place.number} ended at its start (${how})`));
      return;
    }
    place.deaths = performance.now() - place.startedAt > LIVED_MS ? 0 : place.deaths + 1;
    const waitMs = place.deaths === 0 ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (place.deaths - 1));
    this.logger.error({ process: place.number, how, wait_ms: waitMs }, 'a process ended, and another takes its place');
    place.retry = setTimeout(() => {
      this.fill(place);
    }, waitMs);
  }

  private endWhenEmpty(): void {
    if (this.places.every(({ worker }) => worker === undefined)) this.ended?.();
  }
}

/** Such as EAGAIN, where the machine bears no further process. */
const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);
