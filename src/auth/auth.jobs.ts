import type { JobDefinition } from '../jobs/jobs.service.js';

/** Tells somebody that their account was locked. Made for names that nobody has as well, whose job finds nobody. */
export const TELL_LOCKED: JobDefinition<{
  readonly lock_id: string;
  readonly user_id: string | null;
  readonly locked_at: string;
  readonly locked_until: string;
}> = { name: 'auth.tell_locked', maxAttempts: 10 };
