import type { JobDefinition, ScheduledJob } from '../jobs/jobs.service.js';

/** Looks for malware in one file. Tried until the scanner answers: a file without an answer is served to nobody. */
export const SCAN_FILE: JobDefinition<{ readonly file_id: string }> = { name: 'files.scan', maxAttempts: 25 };

/** Reads the text of files that nobody has read yet. */
export const EXTRACT_TEXTS: ScheduledJob = { name: 'files.extract_texts', everyMinutes: 1 };

/** Clears away what crashes left behind. */
export const SWEEP_FILES: ScheduledJob = { name: 'files.sweep', everyMinutes: 60 };

/** Alerts operators to rows without bytes. */
export const CHECK_FILES: ScheduledJob = { name: 'files.check', everyMinutes: 24 * 60 };

/** Destroys files that were deleted long enough ago. */
export const PURGE_FILES: ScheduledJob = { name: 'files.purge', everyMinutes: 60 };

/** Says how much room files take, and alerts operators before there is none. */
export const WATCH_ROOM: ScheduledJob = { name: 'files.watch_room', everyMinutes: 10 };
