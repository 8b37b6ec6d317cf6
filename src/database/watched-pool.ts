import pg, { type PoolClient, type PoolConfig } from 'pg';
import { DatabaseSilent, type ServerWatch } from './server-watch.js';

type Done = (release?: unknown) => void;
type Connected = (error: Error | undefined, client: PoolClient | undefined, done: Done) => void;

/** To make a new connection. The wait for one that others use is another matter: DB_POOL_TIMEOUT. */
const CONNECT_WITHIN_MS = 4000;

class PromptClient extends pg.Client {
  constructor(config: PoolConfig = {}) {
    super({ ...config, connectionTimeoutMillis: CONNECT_WITHIN_MS });
  }
}

/**
 * A pool that refuses at once while its server does not answer. One that is down says so itself; of one that is frozen, or
 * lost behind a network, nobody would hear for a quarter of an hour. When the watch knows of it, statements and transactions
 * under way fail, and so does whoever waits for a connection, or asks for one before the server answers again.
 */
export class WatchedPool extends pg.Pool {
  private readonly watch: ServerWatch;
  private readonly waiting = new Set<() => void>();

  constructor({ watch, ...config }: PoolConfig & { readonly watch: ServerWatch }) {
    super({ ...config, Client: PromptClient, stream: watch.makeSocket });
    this.watch = watch;
    watch.onSilence = () => {
      for (const refuse of this.waiting) refuse();
    };
    this.once('connect', () => {
      watch.start();
    });
  }

  /** For a connection outside of the pool that is to be cut with those in it. */
  get makeSocket(): ServerWatch['makeSocket'] {
    return this.watch.makeSocket;
  }

  override connect(): Promise<PoolClient>;
  override connect(connected: Connected): void;
  override connect(connected?: Connected): Promise<PoolClient> | undefined {
    if (connected !== undefined) {
      this.lend(connected);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.lend((error, client) => {
        if (client === undefined) reject(error ?? new Error('the pool gave no connection'));
        else resolve(client);
      });
    });
  }

  override end(): Promise<void>;
  override end(ended: () => void): void;
  override end(ended?: () => void): Promise<void> | undefined {
    this.watch.stop();
    if (ended === undefined) return super.end();
    super.end(ended);
    return undefined;
  }

  private lend(connected: Connected): void {
    let isRefused = false;
    const refuse = (): void => {
      isRefused = true;
      this.waiting.delete(refuse);
      connected(new DatabaseSilent(), undefined, () => undefined);
    };
    if (this.watch.isSilent) {
      process.nextTick(refuse);
      return;
    }
    this.waiting.add(refuse);
    // where the wait for a connection of others was too long, the pool gives an error and nothing else
    super.connect((error, client, done?: Done) => {
      this.waiting.delete(refuse);
      // it comes too late for whoever wanted it
      if (isRefused) done?.();
      else connected(error, client, done ?? (() => undefined));
    });
  }
}
