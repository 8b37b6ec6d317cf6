/** What is remembered of the failed sign-ins at one account from one source, or from all sources together. */
export interface LockState {
  /** Failures that count towards the next lock, oldest first. */
  readonly failedAt: readonly Date[];
  readonly lockedUntil: Date | null;
  /** Locks in a row. */
  readonly locks: number;
}

export const UNLOCKED: LockState = { failedAt: [], lockedUntil: null, locks: 0 };

const MINUTE_MS = 60_000;
const WINDOW_MS = 15 * MINUTE_MS;
const FIRST_LOCK_MS = 15 * MINUTE_MS;
const LONGEST_LOCK_MS = 24 * 60 * MINUTE_MS;
/** A lock that ended longer ago does not make the next one longer. */
const FORGOTTEN_AFTER_MS = 24 * 60 * MINUTE_MS;

export function isLocked({ lockedUntil }: LockState, now: Date): boolean {
  return lockedUntil !== null && lockedUntil > now;
}

/**
 * What is remembered after one more failure. The failure that makes the threshold within 15 minutes locks: for 15 minutes,
 * for twice as long each further time, for a day at most. While it is locked nothing counts, so that nobody can keep an
 * account locked without a pause.
 */
export function afterFailure(state: LockState, threshold: number, now: Date): LockState {
  if (isLocked(state, now)) return state;
  const failedAt = [...state.failedAt, now].filter((time) => now.getTime() - time.getTime() < WINDOW_MS);
  const isForgotten = state.lockedUntil !== null && now.getTime() - state.lockedUntil.getTime() > FORGOTTEN_AFTER_MS;
  const locks = isForgotten ? 0 : state.locks;
  if (failedAt.length < threshold) return { failedAt, lockedUntil: state.lockedUntil, locks };
  const lengthMs = Math.min(LONGEST_LOCK_MS, FIRST_LOCK_MS * 2 ** Math.min(locks, 10));
  return { failedAt: [], lockedUntil: new Date(now.getTime() + lengthMs), locks: locks + 1 };
}

/** Until when a failure locked; null when it did not, or when it was locked before. */
export function newlyLockedUntil(before: LockState, after: LockState, now: Date): Date | null {
  return !isLocked(before, now) && isLocked(after, now) ? after.lockedUntil : null;
}
