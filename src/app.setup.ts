import { VersioningType } from '@nestjs/common';
import type { CorsOptions } from '@nestjs/common/interfaces/external/cors-options.interface.js';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Request } from 'express';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { AppAdapter } from './app.adapter.js';
import { serveDocs } from './app.docs.js';
import { AppModule } from './app.module.js';
import { BINDING_PATHS } from './auth/openid/browser-binding.js';
import { COOKIE_PATHS } from './auth/sessions/refresh-cookie.js';
import { bodyProgress } from './common/body-progress.js';
import { compressedAnswers } from './common/compressed-answers.js';
import { Clock } from './common/clock.js';
import { MalformedRequest, RequestTimeout } from './common/errors.js';
import { Lifecycle } from './common/lifecycle.js';
import { NestLogger } from './common/logging.js';
import { Metrics } from './common/metrics.js';
import { openErrorReports } from './common/open-error-reports.js';
import { openTracing } from './common/open-tracing.js';
import { rawRefusal } from './common/raw-refusal.js';
import { requestId } from './common/request-id.js';
import { requestLog } from './common/request-log.js';
import { requestMetrics } from './common/request-metrics.js';
import { requestTracing } from './common/request-tracing.js';
import { securityHeaders } from './common/security-headers.js';
import { Tracing } from './common/tracing.js';
import type { Config } from './config/config.js';
import { JobsService } from './jobs/jobs.service.js';
import { MetricsEndpoint } from './ops/metrics-endpoint.js';

const DRAIN_WITHIN_MS = 10_000;

/** The whole application, not yet listening: what main runs and what the tests run. */
export async function createApp(
  config: Config,
  logger: Logger,
  adapter = new AppAdapter(),
): Promise<NestExpressApplication> {
  await openErrorReports(config, logger);
  const tracing = await openTracing(config, logger);
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(config, logger, tracing), adapter, {
    bodyParser: false,
    logger: new NestLogger(logger.child({ logger: 'nest' })),
    abortOnError: false,
  });
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('trust proxy', [...config.http.trustProxy]);
  const metrics = app.get(Metrics);
  app.use(
    requestId,
    ...(tracing.isOn ? [requestTracing(tracing)] : []),
    requestLog(logger),
    ...(metrics.isOn ? [requestMetrics(metrics)] : []),
    securityHeaders,
    compressedAnswers(),
    bodyProgress(config.http.minBodyProgressBytes, app.get(Clock)),
  );
  const cors = {
    origin: [...config.http.corsOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'If-None-Match', 'X-API-Key', 'X-Request-ID'],
    exposedHeaders: ['Content-Disposition', 'ETag', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'X-Request-ID'],
    maxAge: 600,
  };
  app.enableCors(({ path }: Request, answer: (error: null, options: CorsOptions) => void) => {
    answer(null, { ...cors, credentials: COOKIE_PATHS.has(path) || BINDING_PATHS.test(path) });
  });
  // versioned routes are /api/v1/…; neutral ones (health, development inbox) stand at the root
  app.enableVersioning({ type: VersioningType.URI, prefix: 'api/v' });
  if (config.metrics.token !== undefined && config.metrics.port === undefined)
    app.getHttpAdapter().getInstance().get('/metrics', app.get(MetricsEndpoint).handle);
  if (config.http.docsEnabled) serveDocs(app, config);
  hardenServer(app.getHttpServer(), config.http.keepAliveMs);
  return app;
}

/** Bounds what a client may take of the server's time, and answers what is not HTTP at all in our words. */
function hardenServer(server: Server, keepAliveMs: number): void {
  // from the first byte of a request on, so it may be shorter than the wait for that byte
  server.headersTimeout = 10_000;
  server.requestTimeout = 120_000;
  // longer than a load balancer keeps its connections, so that it is never cut off in mid-request
  server.keepAliveTimeout = keepAliveMs;
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const status =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? '408 Request Timeout'
          : '400 Bad Request';
    const refused = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? new RequestTimeout() : new MalformedRequest();
    const { headers, body } = rawRefusal(refused);
    socket.end(`HTTP/1.1 ${status}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`);
  });
}

/**
 * Ends the application: no new connection, requests in flight are answered, jobs finish or are released, the pool and the
 * embedded server close.
 */
export async function closeApp(app: NestExpressApplication): Promise<void> {
  app.get(Lifecycle).beginToStop();
  const server = app.getHttpServer();
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  // a connection that waits for its next request would otherwise keep the server open
  const idle = setInterval(() => {
    server.closeIdleConnections();
  }, 50);
  await Promise.race([
    Promise.all([closed, app.get(JobsService).stop()]),
    sleep(DRAIN_WITHIN_MS, undefined, { ref: false }),
  ]);
  clearInterval(idle);
  server.closeAllConnections();
  const tracing = app.get(Tracing);
  await app.close();
  await tracing.close();
}
