import { ExpressAdapter } from '@nestjs/platform-express';
import express from 'express';
import { once } from 'node:events';
import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http';
import { ServiceUnavailable } from './common/errors.js';
import { rawRefusal } from './common/raw-refusal.js';
import { SECURITY_HEADERS } from './common/security-headers.js';

/**
 * Express gives every request and response another prototype (express/lib/application.js, `handle`). V8 answers that with
 * slow objects which moreover outlive their request until the next full collection: half of the time of a small request
 * and most of its garbage. So the server here makes them with Express's prototypes, and Express finds nothing to change.
 */
export class AppAdapter extends ExpressAdapter {
  private readonly server: Server;
  private isStarting = false;

  constructor(private readonly app = express()) {
    super(app);
    this.server = this.makeServer();
  }

  override initHttpServer(): void {
    this.setHttpServer(this.server);
  }

  /**
   * Takes the port before there is an application: migrations may take minutes, in which a supervisor is told that the process
   * lives, and a balancer that it is not ready. Rejects when the port cannot be had.
   */
  async answerWhileStarting(port: number, host: string): Promise<void> {
    this.isStarting = true;
    this.server.listen(port, host);
    await once(this.server, 'listening');
  }

  /** Called by Nest when the application is there, with a callback for when it serves. */
  override listen(port: string | number, ...args: unknown[]): Server {
    this.isStarting = false;
    const served = args.at(-1);
    if (!this.server.listening) return super.listen(port, ...(args as []));
    if (typeof served === 'function') (served as () => void)();
    return this.server;
  }

  private makeServer(): Server {
    class AppRequest extends IncomingMessage {}
    class AppResponse extends ServerResponse {}
    Object.setPrototypeOf(AppRequest.prototype, this.app.request);
    Object.setPrototypeOf(AppResponse.prototype, this.app.response);
    this.app.request = AppRequest.prototype as express.Request;
    this.app.response = AppResponse.prototype as express.Response;
    return createServer({ IncomingMessage: AppRequest, ServerResponse: AppResponse }, (request, response) => {
      // answered before its end, the sender of a body would meet a closed connection and never read the answer
      if (this.isStarting)
        request.resume().once('end', () => {
          answerStarting(request, response);
        });
      else this.app(request as express.Request, response as express.Response);
    });
  }
}

/** The connection ends with it, so that the next request meets the application. */
function answerStarting({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
  const isPulse = (method === 'GET' || method === 'HEAD') && /^\/health\/live(\?|$)/.test(url);
  if (isPulse) {
    response.writeHead(
      200,
      [...SECURITY_HEADERS, ['Content-Type', 'application/json; charset=utf-8'], ['Connection', 'close']].flat(),
    );
    response.end('{"status":"ok"}');
    return;
  }
  const { headers, body } = rawRefusal(
    new ServiceUnavailable({ detail: 'Not ready: starting', headers: { 'Retry-After': '5' } }),
  );
  response.writeHead(503, headers.flat()).end(body);
}
