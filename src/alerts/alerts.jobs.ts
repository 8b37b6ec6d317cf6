import type { JobDefinition } from '../jobs/jobs.service.js';

/** Tells the operators of one alert by mail. */
export const TELL_ALERT: JobDefinition<{ readonly alert_id: string }> = { name: 'alerts.tell', maxAttempts: 25 };

/** Tells the program behind ALERT_WEBHOOK_URL of one alert. */
export const CALL_WEBHOOK: JobDefinition<{ readonly alert_id: string }> = { name: 'alerts.call', maxAttempts: 12 };
