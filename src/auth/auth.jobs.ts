import type { ScheduledJob } from '../jobs/jobs.service.js';

/** Forgets sessions and refresh tokens that are long over. */
export const FORGET_SESSIONS: ScheduledJob = { name: 'auth.forget_sessions', everyMinutes: 60 };
