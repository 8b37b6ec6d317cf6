import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Clock } from './clock.js';
import { toEnvelope } from './error.filter.js';
import { RequestTimeout } from './errors.js';
import { hasBody } from './request-body.js';

const SAMPLE_MS = 1000;
/** A body is given up when so many seconds have passed with too few bytes. */
const PATIENCE_SECONDS = 5;

/**
 * Answers 408 and closes the connection when a request's body comes to a halt: fewer than `minBytes` within five seconds. A
 * sender of one byte a second would otherwise hold a connection, and what it has sent, for as long as a whole request may take.
 */
export function bodyProgress(minBytes: number, clock: Clock): RequestHandler {
  return (request: Request, response: Response, next: NextFunction) => {
    if (hasBody(request)) watch(request, response, minBytes, clock);
    next();
  };
}

function watch(request: Request, response: Response, minBytes: number, clock: Clock): void {
  let samples = [request.socket.bytesRead];
  const timer = setInterval(() => {
    if (request.complete) {
      clearInterval(timer);
      return;
    }
    // what waits to be read by us is our delay, not the sender's
    if (request.readableLength > 0) samples = [];
    samples.push(request.socket.bytesRead);
    if (samples.length <= PATIENCE_SECONDS) return;
    const [before = 0] = samples.splice(0, 1);
    if (request.socket.bytesRead - before >= minBytes) return;
    clearInterval(timer);
    giveUp(request, response, clock);
  }, SAMPLE_MS).unref();
  response.once('close', () => {
    clearInterval(timer);
  });
}

function giveUp(request: Request, response: Response, clock: Clock): void {
  if (response.headersSent) {
    request.destroy();
    return;
  }
  // whoever still reads the body hears of its end only now, and finds the answer given
  response.once('finish', () => {
    request.destroy();
  });
  response.set('Connection', 'close').status(RequestTimeout.status);
  response.json(toEnvelope(new RequestTimeout(), request.id ?? '', clock.now()));
}
