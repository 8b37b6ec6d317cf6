import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { PoolClient } from 'pg';
import type { Logger } from 'pino';
import { LOGGER } from '../common/logging.js';
import { CONFIG, type Config } from '../config/config.js';
import { Database } from '../database/database.js';
import type { User } from './user.entity.js';
import { UsersRepository } from './users.repository.js';

/** The channel on which the database announces each change of a user (migration 1764000000001). */
const CHANNEL = 'forecourt_user_changed';
/** How long a user is believed at most, should an announcement be lost. */
const BELIEVED_FOR_MS = 1000;
const MOST_USERS = 10_000;
const LISTEN_AGAIN_AFTER_MS = 1000;

/**
 * The users of the last moment, so that a request with a token need not ask the database who its bearer is. The database
 * announces every change, by whatever way it was made, and the user is forgotten at once; while nobody listens, nothing
 * is kept.
 */
@Injectable()
export class KnownUsers implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly known = new Map<string, { readonly user: User | null; readonly until: number }>();
  private readonly logger: Logger;
  private listener: PoolClient | undefined;
  private isListening = false;
  private changesHeard = 0;
  private retry: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly users: UsersRepository,
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'users' });
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.config.role !== 'worker') await this.listen();
  }

  onModuleDestroy(): void {
    this.closed = true;
    clearTimeout(this.retry);
    this.forget(this.listener);
  }

  async find(id: string): Promise<User | null> {
    const entry = this.known.get(id);
    if (entry !== undefined && entry.until > performance.now()) return entry.user;
    const heardBefore = this.changesHeard;
    const user = await this.users.findById(id);
    // a change that was announced while the row was on its way may not be in it
    if (this.isListening && this.changesHeard === heardBefore) {
      if (this.known.size >= MOST_USERS) this.known.clear();
      this.known.set(id, { user, until: performance.now() + BELIEVED_FOR_MS });
    }
    return user;
  }

  private async listen(): Promise<void> {
    let client: PoolClient | undefined;
    try {
      client = await this.database.connect();
      this.hearChanges(client);
      this.listener = client;
      await client.query(`LISTEN ${CHANNEL}`);
      this.isListening = true;
    } catch (error) {
      this.logger.warn({ err: error }, 'cannot listen for changes of users; tried again');
      // a connection that broke has seen to it already
      if (client === undefined || this.forget(client)) this.listenAgain();
    }
  }

  private hearChanges(client: PoolClient): void {
    client.on('notification', ({ channel, payload }) => {
      if (channel !== CHANNEL || payload === undefined) return;
      this.changesHeard += 1;
      this.known.delete(payload);
    });
    client.once('error', () => {
      if (this.forget(client)) this.listenAgain();
    });
  }

  /** Gives the connection up, and with it everything that is known; false when that was done before. */
  private forget(client: PoolClient | undefined): boolean {
    if (client === undefined || client !== this.listener) return false;
    this.listener = undefined;
    this.isListening = false;
    this.changesHeard += 1;
    this.known.clear();
    client.release(true);
    return true;
  }

  private listenAgain(): void {
    if (!this.closed) this.retry = setTimeout(() => void this.listen(), LISTEN_AGAIN_AFTER_MS);
  }
}
