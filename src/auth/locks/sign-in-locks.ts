import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AuditService } from '../../audit/audit.service.js';
import type { Actor } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import { networkOf } from '../../common/network.js';
import { CONFIG, type Config } from '../../config/config.js';
import { Transactions, type Tx } from '../../database/transactions.js';
import { JobsService } from '../../jobs/jobs.service.js';
import type { User } from '../../users/users.service.js';
import { TELL_LOCKED } from '../auth.jobs.js';
import { AccountKey } from './account-key.js';
import { afterFailure, isLocked, newlyLockedUntil, UNLOCKED } from './sign-in-lock-rules.js';
import { type Locks, type SignInPlace, SignInLocksRepository } from './sign-in-locks.repository.js';

/** How long a source is believed to be its owner's after a sign-in. */
export const KNOWN_FOR_DAYS = 30;
const DAY_MS = 24 * 60 * 60_000;
const TOLD_ONCE_IN_MS = 60 * 60_000;

/** A sign-in that was tried, and whether name and password were right. */
export interface TriedSignIn {
  readonly name: string;
  readonly user: User | null;
  readonly isRight: boolean;
  /** False when a second factor is still due: then nothing is forgiven, nor the source known, before that one is right. */
  readonly isLastStep?: boolean;
}

/**
 * Closes an account to a source (an IPv4 address or a /64 of IPv6) from which too many sign-ins failed, and to sources that
 * it was not used from lately when too many failed from all together: nobody can shut its owner out from elsewhere. Names
 * that nobody has are treated alike.
 */
@Injectable()
export class SignInLocks {
  constructor(
    private readonly locks: SignInLocksRepository,
    private readonly key: AccountKey,
    private readonly audit: AuditService,
    private readonly jobs: JobsService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Whether a sign-in succeeds, decided after its password was compared, one after the other for each account: of any number
   * at once, a right one counts only when the failures before it did not lock.
   */
  async decide(actor: Actor, tried: TriedSignIn): Promise<boolean> {
    if (this.config.auth.lockout.failures === 0 || actor.kind === 'system') return tried.isRight;
    const place: SignInPlace = {
      account: await this.accountOf(tried.user?.id ?? tried.name.toLowerCase()),
      source: await this.key.hash('source', networkOf(actor.ip)),
      userId: tried.user?.id ?? null,
    };
    return this.transactions.run(actor, async (tx) => {
      if (await this.isClosed(tx, place)) return false;
      if (tried.isRight) return tried.isLastStep === false || this.admit(tx, place);
      // whoever was first may have locked it meanwhile
      await this.locks.prepare(tx, place, this.clock.now());
      if (!(await this.isClosed(tx, place))) await this.recordFailure(tx, actor, place);
      return false;
    });
  }

  /** Forgets all failures at an account. Whether it was locked to anybody. */
  async unlock(tx: Tx, userId: string): Promise<boolean> {
    return this.locks.unlock(tx, await this.accountOf(userId), this.clock.now());
  }

  /** Until when these accounts are locked to somebody, for those that are. */
  async lockedUntil(userIds: readonly string[]): Promise<Map<string, Date>> {
    const accounts = await Promise.all(userIds.map((id) => this.accountOf(id)));
    const locked = await this.locks.findLocked(accounts, this.clock.now());
    const found = new Map<string, Date>();
    userIds.forEach((id, index) => {
      const until = locked.get(accounts[index]?.toString('base64') ?? '');
      if (until !== undefined) found.set(id, until);
    });
    return found;
  }

  /** Forgets what plays no part any more. */
  async sweep(): Promise<void> {
    const now = this.clock.now().getTime();
    await this.locks.sweep(new Date(now - 3 * DAY_MS), new Date(now - KNOWN_FOR_DAYS * DAY_MS));
  }

  private accountOf(idOrName: string): Promise<Buffer> {
    return this.key.hash('account', idOrName);
  }

  private async find(tx: Tx, place: SignInPlace): Promise<Locks & { isKnown: boolean }> {
    return this.locks.lock(tx, place, new Date(this.clock.now().getTime() - KNOWN_FOR_DAYS * DAY_MS));
  }

  private async isClosed(tx: Tx, place: SignInPlace): Promise<boolean> {
    const { here = UNLOCKED, everywhere = UNLOCKED, isKnown } = await this.find(tx, place);
    const now = this.clock.now();
    return isLocked(here, now) || (!isKnown && isLocked(everywhere, now));
  }

  private async admit(tx: Tx, place: SignInPlace): Promise<true> {
    await this.locks.clear(tx, place);
    await this.locks.noteKnown(tx, place, this.clock.now());
    return true;
  }

  private async recordFailure(tx: Tx, actor: Actor, place: SignInPlace): Promise<void> {
    const { failures, accountFailures } = this.config.auth.lockout;
    const now = this.clock.now();
    const { here = UNLOCKED, everywhere = { ...UNLOCKED, toldAt: null } } = await this.find(tx, place);
    const hereAfter = afterFailure(here, failures, now);
    const everywhereAfter = afterFailure(everywhere, accountFailures, now);
    await this.locks.write(tx, place, 'here', hereAfter, now);
    await this.locks.write(tx, place, 'everywhere', everywhereAfter, now);
    const lockedHere = newlyLockedUntil(here, hereAfter, now);
    const lockedEverywhere = newlyLockedUntil(everywhere, everywhereAfter, now);
    const until = lockedEverywhere ?? lockedHere;
    if (until === null) return;
    await this.audit.record(tx, actor, {
      action: 'auth.sign_in_locked',
      targetKind: 'user',
      targetId: place.userId,
      details: { until: until.toISOString(), from: lockedEverywhere === null ? 'one source' : 'unknown sources' },
    });
    if (everywhere.toldAt === null || now.getTime() - everywhere.toldAt.getTime() >= TOLD_ONCE_IN_MS)
      await this.tell(tx, place, now, until);
  }

  private async tell(tx: Tx, place: SignInPlace, now: Date, until: Date): Promise<void> {
    await this.locks.noteTold(tx, place, now);
    await this.jobs.enqueue(tx, TELL_LOCKED, [
      {
        lock_id: randomUUID(),
        user_id: place.userId,
        locked_at: now.toISOString(),
        locked_until: until.toISOString(),
      },
    ]);
  }
}
