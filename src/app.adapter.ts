import { ExpressAdapter } from '@nestjs/platform-express';
import express from 'express';
import { createServer, IncomingMessage, ServerResponse } from 'node:http';

/**
 * Express gives every request and response another prototype (express/lib/application.js, `handle`). V8 answers that with
 * slow objects which moreover outlive their request until the next full collection: half of the time of a small request
 * and most of its garbage. So the server here makes them with Express's prototypes, and Express finds nothing to change.
 */
export class AppAdapter extends ExpressAdapter {
  constructor(private readonly app = express()) {
    super(app);
  }

  override initHttpServer(): void {
    class AppRequest extends IncomingMessage {}
    class AppResponse extends ServerResponse {}
    Object.setPrototypeOf(AppRequest.prototype, this.app.request);
    Object.setPrototypeOf(AppResponse.prototype, this.app.response);
    this.app.request = AppRequest.prototype as express.Request;
    this.app.response = AppResponse.prototype as express.Response;
    this.setHttpServer(createServer({ IncomingMessage: AppRequest, ServerResponse: AppResponse }, this.app));
  }
}
