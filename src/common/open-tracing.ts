import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { PROJECT_ROOT } from '../config/project-root.js';
import { addToLines } from './logging.js';
import { NO_TRACING, type Tracing } from './tracing.js';

/** Tracing as the settings want it. What it takes is loaded only where it is on; the lines of the log then name their traces. */
export async function openTracing({ tracing }: Config, logger: Logger): Promise<Tracing> {
  if (tracing === undefined) return NO_TRACING;
  const { OtlpTracing } = await import('./otlp-tracing.js');
  const opened = new OtlpTracing(tracing, releaseVersion(), logger);
  addToLines(logger, () => (opened.traceId === undefined ? {} : { trace_id: opened.traceId }));
  return opened;
}

/** Of this program. */
export function releaseVersion(): string {
  const { version } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as { version: string };
  return version;
}
