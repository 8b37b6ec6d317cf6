import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from 'pino';
import { type Actor, apiKeyOf } from '../common/actor.js';
import { Clock } from '../common/clock.js';
import { LOGGER } from '../common/logging.js';
import { networkOf } from '../common/network.js';
import type { AuditEvent } from './audit-event.js';

const WINDOW_MS = 60_000;
/** Beyond that the oldest is written early. */
const MOST_KEPT = 10_000;

type Write = (actor: Actor, event: AuditEvent) => Promise<void>;

interface Kept {
  readonly actor: Actor;
  readonly event: AuditEvent;
  readonly since: Date;
  readonly timer: NodeJS.Timeout;
  again: number;
}

/**
 * What strangers can cause as often as they like: the same event from the same source is written when it first happens, and how
 * often it happened again within the minute in one further entry at its end. A process that is killed forgets that number, but
 * not the first.
 */
@Injectable()
export class SeldomEntries implements OnModuleDestroy {
  private readonly kept = new Map<string, Kept>();
  private readonly logger: Logger;
  private write: Write = () => Promise.resolve();

  constructor(
    private readonly clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'audit' });
  }

  onModuleDestroy(): Promise<void> {
    return this.writeAll();
  }

  /** Resolves when it is on the disk, counted, or could not be written, which is logged. */
  async add(actor: Actor, event: AuditEvent, write: Write): Promise<void> {
    this.write = write;
    const key = keyOf(actor, event);
    const kept = this.kept.get(key);
    if (kept !== undefined) {
      kept.again += 1;
      return;
    }
    const [oldest] = this.kept.keys();
    if (oldest !== undefined && this.kept.size >= MOST_KEPT) await this.end(oldest);
    const timer = setTimeout(() => void this.end(key), WINDOW_MS);
    this.kept.set(key, { actor, event, since: this.clock.now(), timer, again: 0 });
    await this.tryToWrite(actor, event);
  }

  /** Ends the minute of every event now. */
  async writeAll(): Promise<void> {
    await Promise.all([...this.kept.keys()].map((key) => this.end(key)));
  }

  private async end(key: string): Promise<void> {
    const kept = this.kept.get(key);
    if (kept === undefined) return;
    this.kept.delete(key);
    clearTimeout(kept.timer);
    const { actor, event, again, since } = kept;
    if (again === 0) return;
    const details = { ...event.details, again, since: since.toISOString() };
    await this.tryToWrite(actor, { ...event, details });
  }

  private async tryToWrite(actor: Actor, event: AuditEvent): Promise<void> {
    try {
      await this.write(actor, event);
    } catch (error) {
      this.logger.error({ action: event.action, err: error }, 'an audit entry was not written');
    }
  }
}

function keyOf(actor: Actor, { action, targetKind, targetId, details = {} }: AuditEvent): string {
  const who = actor.kind === 'system' ? actor.name : networkOf(actor.ip);
  return JSON.stringify([
    actor.kind,
    who,
    actor.kind === 'user' ? actor.id : '',
    apiKeyOf(actor) ?? '',
    action,
    targetKind,
    targetId,
    details,
  ]);
}
