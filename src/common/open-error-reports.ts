import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { reportOf } from './error-report.js';
import { tellErrors } from './logging.js';
import { releaseVersion } from './open-tracing.js';

/**
 * From now on a tracker hears of each error that the log tells of and nobody foresaw, where the settings name one. What it takes
 * is loaded only then.
 */
export async function openErrorReports({ sentryDsn, isProduction }: Config, logger: Logger): Promise<void> {
  if (sentryDsn === undefined) return;
  const { Sentry } = await import('./sentry.js');
  const sentry = new Sentry(sentryDsn, `forecourt@${releaseVersion()}`, isProduction ? 'production' : 'development');
  tellErrors(logger, {
    tell: (line, message, level) => {
      const report = reportOf(line, message, level);
      if (report !== undefined) sentry.tell(report);
    },
    flush: () => sentry.flush(),
  });
}
