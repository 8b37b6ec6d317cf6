import type { JobDefinition } from '../jobs/jobs.service.js';

/** Tells the operators of one alert. */
export const TELL_ALERT: JobDefinition<{ readonly alert_id: string }> = { name: 'alerts.tell', maxAttempts: 25 };
