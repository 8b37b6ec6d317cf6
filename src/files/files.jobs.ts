import type { JobDefinition } from '../jobs/jobs.service.js';

/** Looks for malware in one file. Tried until the scanner answers: a file without an answer is served to nobody. */
export const SCAN_FILE: JobDefinition<{ readonly file_id: string }> = { name: 'files.scan', maxAttempts: 25 };
