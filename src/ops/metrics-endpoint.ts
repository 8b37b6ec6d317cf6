import { Inject, Injectable } from '@nestjs/common';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { InternalError } from '../common/errors.js';
import { LOGGER } from '../common/logging.js';
import { rawRefusal } from '../common/raw-refusal.js';
import { CONFIG, type Config } from '../config/config.js';
import { MetricsTokenInvalid } from './metrics.errors.js';
import { MetricsService } from './metrics.service.js';

/** `GET /metrics`, on whichever port: not for people who sign in, but for one program with one token. */
@Injectable()
export class MetricsEndpoint {
  private readonly logger: Logger;

  constructor(
    private readonly metrics: MetricsService,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'metrics' });
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    void this.answer(request, response).catch((error: unknown) => {
      this.logger.error({ err: error }, 'metrics could not be told');
      const { headers, body } = rawRefusal(new InternalError());
      if (response.headersSent) response.destroy();
      else response.writeHead(500, headers.flat()).end(body);
    });
  };

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.mayRead(request.headers.authorization)) {
      const refused = new MetricsTokenInvalid();
      const { headers, body } = rawRefusal(refused);
      response.writeHead(refused.status, headers.flat()).end(body);
      return;
    }
    const text = await this.metrics.expose();
    response.writeHead(200, { 'Content-Type': this.metrics.contentType, 'Content-Length': Buffer.byteLength(text) });
    response.end(text);
  }

  /** Takes as long for every wrong token. */
  private mayRead(authorization: string | undefined): boolean {
    const { token } = this.config.metrics;
    if (token === undefined) return true;
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    return given !== undefined && timingSafeEqual(hashOf(given), hashOf(token));
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
