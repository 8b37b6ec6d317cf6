import { createStackParser, createTransport, type Event } from '@sentry/core';
import { nodeStackLineParser, ServerRuntimeClient } from '@sentry/core/server';
import type { ErrorReport } from './error-report.js';

const SEND_WITHIN_MS = 5_000;
const FLUSH_WITHIN_MS = 2_000;
/** An outage must not become one of the tracker. */
const MOST_IN_A_MINUTE = 30;

/** Tells a tracker that speaks Sentry's protocol of errors, in the background; what it does not take is dropped. */
export class Sentry {
  private readonly client: ServerRuntimeClient;
  private readonly parse = createStackParser(nodeStackLineParser());
  private minute = -1;
  private told = 0;

  constructor(dsn: string, release: string, environment: string) {
    this.client = new ServerRuntimeClient({
      dsn,
      release,
      environment,
      platform: 'node',
      runtime: { name: 'node', version: process.version },
      // nothing of this machine, of requests or of modules: what is told stands in the report
      integrations: [],
      stackParser: this.parse,
      sendClientReports: false,
      transport: (options) =>
        createTransport(options, async ({ body }) => {
          const answer = await fetch(options.url, {
            method: 'POST',
            headers: { 'Content-Type': 'application/x-sentry-envelope', ...options.headers },
            body,
            redirect: 'error',
            signal: AbortSignal.timeout(SEND_WITHIN_MS),
          });
          await answer.body?.cancel();
          return {
            statusCode: answer.status,
            headers: {
              'x-sentry-rate-limits': answer.headers.get('x-sentry-rate-limits'),
              'retry-after': answer.headers.get('retry-after'),
            },
          };
        }),
    });
    this.client.init();
  }

  tell({ level, message, errors, tags }: ErrorReport): void {
    const minute = Math.floor(performance.now() / 60_000);
    this.told = minute === this.minute ? this.told + 1 : 1;
    this.minute = minute;
    if (this.told > MOST_IN_A_MINUTE) return;
    const event: Event = {
      level,
      logentry: { message },
      // the cause first, as Sentry has it
      exception: {
        values: errors.toReversed().map(({ type, message: value, stack }) => ({
          type,
          value,
          stacktrace: { frames: this.parse(stack) },
        })),
      },
      tags: { ...tags },
    };
    this.client.captureEvent(event);
  }

  /** Resolves when everything has left, or in two seconds. */
  async flush(): Promise<void> {
    await this.client.flush(FLUSH_WITHIN_MS);
  }
}
