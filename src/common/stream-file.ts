import { StreamableFile } from '@nestjs/common';
import type { Response } from 'express';
import type { Readable } from 'node:stream';
import { Clock } from './clock.js';
import { toEnvelope } from './error.filter.js';
import { InternalError } from './errors.js';

/**
 * An answer that streams. Should reading fail before the first byte has left, the answer is the envelope with 500; after
 * that, the connection is cut so that a partial file never looks whole.
 */
export function streamFile(stream: Readable): StreamableFile {
  return new StreamableFile(stream).setErrorHandler((_error, answer) => {
    const response = answer as unknown as Response;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    for (const name of ['Content-Length', 'Content-Disposition']) response.removeHeader(name);
    response.status(500).json(toEnvelope(new InternalError(), response.req.id ?? '', new Clock().now()));
  });
}
