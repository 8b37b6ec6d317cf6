import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { MethodNotAllowed, RouteNotFound } from '../common/errors.js';
import { LOGGER } from '../common/logging.js';
import { rawRefusal } from '../common/raw-refusal.js';
import { CONFIG, type Config } from '../config/config.js';
import { MetricsEndpoint } from './metrics-endpoint.js';

/** Metrics on a port of their own, of processes that serve no requests as well; to the last while the process drains. */
@Injectable()
export class MetricsServer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger: Logger;
  private server: Server | undefined;

  constructor(
    private readonly endpoint: MetricsEndpoint,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'metrics' });
  }

  async onApplicationBootstrap(): Promise<void> {
    const { port, host } = this.config.metrics;
    if (port === undefined) return;
    this.server = createServer((request, response) => {
      this.answer(request, response);
    });
    this.server.headersTimeout = 5_000;
    this.server.requestTimeout = 10_000;
    // of the processes of WEB_CONCURRENCY each has a port of its own
    this.server.listen({ port, host, exclusive: true });
    await once(this.server, 'listening');
    const { port: taken } = this.server.address() as AddressInfo;
    this.logger.info({ port: taken }, `metrics are on port ${taken}`);
  }

  beforeApplicationShutdown(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (isRead && /^\/metrics(\?|$)/.test(request.url ?? '')) {
      this.endpoint.handle(request, response);
      return;
    }
    const refused = isRead ? new RouteNotFound() : new MethodNotAllowed({ headers: { Allow: 'GET, HEAD' } });
    const { headers, body } = rawRefusal(refused);
    response.writeHead(refused.status, headers.flat()).end(body);
  }
}
