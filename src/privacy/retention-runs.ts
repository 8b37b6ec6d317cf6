import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { AuditService } from '../audit/audit.service.js';
import type { Actor } from '../common/actor.js';
import { Clock } from '../common/clock.js';
import { LOGGER } from '../common/logging.js';
import { Transactions, type Tx } from '../database/transactions.js';
import { LegalHoldsService } from '../persons/legal-holds.service.js';
import { PersonsService } from '../persons/persons.service.js';
import { type DueRows, type HeldPersons, type RetentionRule, RetentionService } from '../persons/retention.service.js';

const DAY_MS = 86_400_000;
/** Of one transaction: short, because nobody is put on hold meanwhile. */
const AT_A_TIME = 50;
const SAMPLES = 10;
const ACTOR: Actor = { kind: 'system', name: 'privacy' };
const NOTHING: DueRows = { count: 0, oldest: null, ids: [] };

/** A rule, and what it would remove now. */
export interface RetentionPreview {
  readonly rule: RetentionRule;
  readonly due: DueRows;
}

/** Removes what is older than it may be kept, whoever it is about, save persons on legal hold. */
@Injectable()
export class RetentionRuns {
  private readonly logger: Logger;

  constructor(
    private readonly retention: RetentionService,
    private readonly holds: LegalHoldsService,
    private readonly persons: PersonsService,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'privacy' });
  }

  /** What a run would remove at this moment. On record, once a minute for each viewer. */
  async preview(actor: Actor): Promise<RetentionPreview[]> {
    const held = await this.heldPersons(await this.holds.heldEmails());
    const previews: RetentionPreview[] = [];
    for (const rule of this.retention.rules) {
      const due = rule.days === null ? NOTHING : await rule.preview(this.before(rule.days), held, SAMPLES);
      previews.push({ rule, due });
    }
    await this.audit.recordSeldom(actor, { action: 'retention.previewed', targetKind: 'retention', targetId: null });
    return previews;
  }

  /**
   * The job. Running it twice, or twice at once, does no harm: each batch is one transaction, one at a time, and finds only what is
   * there. Cut off, it has removed whole batches, and the next run goes on.
   */
  async run(stop: AbortSignal): Promise<void> {
    for (const rule of this.retention.rules) {
      const removed = await this.apply(rule, stop);
      if (removed > 0) this.logger.info({ rule: rule.name, rows: removed }, 'what was kept long enough was removed');
    }
  }

  private async apply(rule: RetentionRule, stop: AbortSignal): Promise<number> {
    const { days } = rule;
    if (days === null || rule.removeSome === undefined) return 0;
    let removed = 0;
    // until there is none: with the last of them others may become due
    while (!stop.aborted) {
      const some = await this.removeSome(rule, days);
      if (some === 0) break;
      removed += some;
    }
    return removed;
  }

  private async removeSome(rule: RetentionRule, days: number): Promise<number> {
    const before = this.before(days);
    return this.transactions.run(async (tx) => {
      const held = await this.heldPersons(await this.holds.freeze(tx), tx);
      const rows = (await rule.removeSome?.(tx, before, held, AT_A_TIME)) ?? 0;
      if (rows > 0)
        await this.audit.record(tx, ACTOR, {
          action: 'retention.applied',
          targetKind: 'retention',
          targetId: null,
          details: { rule: rule.name, days, before: before.toISOString(), rows },
        });
      return rows;
    });
  }

  private before(days: number): Date {
    return new Date(this.clock.now().getTime() - days * DAY_MS);
  }

  private async heldPersons(emails: readonly string[], tx?: Tx): Promise<HeldPersons> {
    const things: HeldPersons['things'][number][] = [];
    for (const source of this.persons.sources) things.push(...((await source.thingsOf?.(emails, tx)) ?? []));
    return { emails, things };
  }
}
