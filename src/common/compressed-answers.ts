import compression from 'compression';
import type { Request, RequestHandler, Response } from 'express';

/** Below it an answer fits into one packet as it is. */
const THRESHOLD_BYTES = 1024;
const TEXTS = /^(application\/(json|x-ndjson|javascript)|text\/(html|css|plain|csv|javascript))\b/i;
/** Their answers hold tokens, codes and keys. */
const SECRET_PATHS = /^\/api\/v\d+\/auth(\/|$)/i;

/**
 * Compresses larger answers with Brotli or gzip for whoever takes them. Only text, and not where the ETag names these very bytes,
 * as for stored files. Never an answer with a secret, which its length under compression could tell of to somebody who puts words
 * beside it (BREACH, CVE-2013-3587).
 */
export function compressedAnswers(): RequestHandler {
  return compression({ threshold: THRESHOLD_BYTES, filter: isCompressible });
}

function isCompressible({ path }: Request, response: Response): boolean {
  const etag = String(response.getHeader('ETag') ?? 'W/');
  return (
    TEXTS.test(String(response.getHeader('Content-Type'))) &&
    etag.startsWith('W/') &&
    !response.hasHeader('Set-Cookie') &&
    !SECRET_PATHS.test(path)
  );
}
