import type { JobDefinition } from '../jobs/jobs.service.js';

/** Removes what an erasure left outside of the database. Tried for days: a storage may be away for long. */
export const COMPLETE_ERASURE: JobDefinition<{ readonly erasure_id: string }> = {
  name: 'privacy.complete_erasure',
  maxAttempts: 25,
};
