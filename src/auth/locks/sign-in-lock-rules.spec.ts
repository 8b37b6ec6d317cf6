import { afterFailure, isLocked, type LockState, newlyLockedUntil, UNLOCKED } from './sign-in-lock-rules.js';

const START = Date.UTC(2026, 0, 31, 10);
const at = (minutes: number): Date => new Date(START + minutes * 60_000);
const failing = (state: LockState, ...minutes: number[]): LockState =>
  minutes.reduce((before, minute) => afterFailure(before, 5, at(minute)), state);
const minutesLocked = ({ lockedUntil }: LockState): number => ((lockedUntil?.getTime() ?? NaN) - START) / 60_000;

describe('afterFailure', () => {
  it('locks for 15 minutes at the fifth failure within 15 minutes', () => {
    expect(isLocked(failing(UNLOCKED, 0, 1, 2, 3), at(3))).toBe(false);
    const locked = failing(UNLOCKED, 0, 1, 2, 3, 14);

    expect(minutesLocked(locked)).toBe(29);
    expect([isLocked(locked, at(28.99)), isLocked(locked, at(29))]).toEqual([true, false]);
  });

  it('forgets failures that are 15 minutes old, one by one', () => {
    const state = failing(UNLOCKED, 0, 10, 11, 12, 15);

    expect(isLocked(state, at(15))).toBe(false);
    expect(isLocked(failing(state, 16), at(16))).toBe(true);
  });

  it('counts nothing while it is locked, so that nobody can keep it locked', () => {
    const locked = failing(UNLOCKED, 0, 0, 0, 0, 0);

    expect(failing(locked, 1, 2, 3, 4, 5, 14)).toBe(locked);
  });

  it('doubles with each lock up to a day, and begins anew a day after the last', () => {
    let state: LockState = UNLOCKED;
    const lengths: number[] = [];
    for (let now = 0, round = 0; round < 9; round += 1) {
      state = failing(state, now, now, now, now, now);
      lengths.push(minutesLocked(state) - now);
      now = minutesLocked(state);
    }
    expect(lengths).toEqual([15, 30, 60, 120, 240, 480, 960, 1440, 1440]);

    const later = minutesLocked(state) + 24 * 60 + 1;
    expect(minutesLocked(failing(state, later, later, later, later, later)) - later).toBe(15);
  });

  it('has no lock beyond a day however often it was locked', () => {
    const state = failing({ ...UNLOCKED, locks: 5000 }, 0, 0, 0, 0, 0);

    expect(minutesLocked(state)).toBe(1440);
  });
});

describe('newlyLockedUntil', () => {
  it('is the end of a lock that this failure made', () => {
    const before = failing(UNLOCKED, 0, 0, 0, 0);
    const locked = failing(before, 1);

    expect(newlyLockedUntil(UNLOCKED, before, at(0))).toBeNull();
    expect(newlyLockedUntil(before, locked, at(1))).toEqual(at(16));
    expect(newlyLockedUntil(locked, failing(locked, 2), at(2))).toBeNull();
  });
});
