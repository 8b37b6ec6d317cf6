import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { PoolClient } from 'pg';
import type { Logger } from 'pino';
import { LOGGER } from '../common/logging.js';
import { CONFIG, type Config } from '../config/config.js';
import { Database } from './database.js';

/** Told the id that the database announced; undefined means that any announcement may have been missed. */
export type Hearer = (id: string | undefined) => void;

const LISTEN_AGAIN_AFTER_MS = 1000;

/**
 * What triggers announce by NOTIFY, heard on one connection for the whole process. A process that only runs background
 * jobs does not listen.
 */
@Injectable()
export class Announcements implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly hearers = new Map<string, Hearer>();
  private readonly logger: Logger;
  private listener: PoolClient | undefined;
  private retry: NodeJS.Timeout | undefined;
  private closed = false;
  /** Whether announcements arrive at this moment. */
  isListening = false;

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'database' });
  }

  /** Names the one hearer of a channel, a constant. Call it before the application has started. */
  hear(channel: string, hearer: Hearer): void {
    if (this.hearers.has(channel)) throw new Error(`somebody hears ${channel} already`);
    this.hearers.set(channel, hearer);
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.config.role !== 'worker' && this.hearers.size > 0) await this.listen();
  }

  onModuleDestroy(): void {
    this.closed = true;
    clearTimeout(this.retry);
    this.giveUp(this.listener);
  }

  private async listen(): Promise<void> {
    let client: PoolClient | undefined;
    try {
      client = await this.database.connect();
      this.attend(client);
      this.listener = client;
      for (const channel of this.hearers.keys()) await client.query(`LISTEN ${channel}`);
      this.isListening = true;
    } catch (error) {
      this.logger.warn({ err: error }, 'cannot listen for changes; tried again');
      // a connection that broke has seen to it already
      if (client === undefined || this.giveUp(client)) this.listenAgain();
    }
  }

  private attend(client: PoolClient): void {
    client.on('notification', ({ channel, payload }) => {
      this.hearers.get(channel)?.(payload);
    });
    client.once('error', () => {
      if (this.giveUp(client)) this.listenAgain();
    });
  }

  /** Gives the connection up, and tells everybody; false when that was done before. */
  private giveUp(client: PoolClient | undefined): boolean {
    if (client === undefined || client !== this.listener) return false;
    this.listener = undefined;
    this.isListening = false;
    for (const hearer of this.hearers.values()) hearer(undefined);
    client.release(true);
    return true;
  }

  private listenAgain(): void {
    if (!this.closed) this.retry = setTimeout(() => void this.listen(), LISTEN_AGAIN_AFTER_MS);
  }
}
