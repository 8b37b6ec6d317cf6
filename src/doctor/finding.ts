import { within } from '../common/within.js';

/** What the doctor has to say of one thing. Never shows a secret. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string;
  /** Only what failed keeps Forecourt from its work; what is skipped could not be, or need not be, looked at. */
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly says: string;
  /** What to do; null where nothing is to be done. */
  readonly advice: string | null;
}

export const fine = (check: string, says: string): Finding => ({ check, state: 'ok', says, advice: null });
export const skipped = (check: string, says: string): Finding => ({ check, state: 'skipped', says, advice: null });
export const warning = (check: string, says: string, advice: string): Finding => ({
  check,
  state: 'warning',
  says,
  advice,
});
export const failed = (check: string, says: string, advice: string): Finding => ({
  check,
  state: 'failed',
  says,
  advice,
});

/** The words of an error and of what caused it; its code where it has no words. */
export function wordsOf(error: unknown): string {
  const { message, code, cause } = (error ?? {}) as Readonly<Record<string, unknown>>;
  const words = [message, code, error].map(String).find((each) => !['', 'undefined'].includes(each)) ?? 'unknown';
  return cause === undefined ? words : `${words}: ${wordsOf(cause)}`;
}

/** What the check finds, or that it failed: by an error, or by no answer in time. */
export async function findingsWithin(
  milliseconds: number,
  check: string,
  advice: string,
  work: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await within(milliseconds, work());
  } catch (error) {
    return [failed(check, wordsOf(error), advice)];
  }
}
