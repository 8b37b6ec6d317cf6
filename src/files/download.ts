import type { StreamableFile } from '@nestjs/common';
import contentDisposition from 'content-disposition';
import type { Request, Response } from 'express';
import { UnprocessableFields } from '../common/errors.js';
import { ChoiceField } from '../common/fields.js';
import { streamFile } from '../common/stream-file.js';
import type { StoredFile } from './file.entity.js';
import type { VerifiedContent } from './file-reader.js';
import { RangeNotSatisfiable } from './files.errors.js';
import type { ByteRange } from './storage/file-storage.js';

export class DownloadQuery {
  @ChoiceField(['attachment', 'inline'], {
    optional: true,
    default: 'attachment',
    description: 'inline lets a browser show a PDF by itself; other types are only sent as attachments',
  })
  disposition: 'attachment' | 'inline' = 'attachment';
}

/** A file that somebody may have. */
export interface Download {
  readonly file: StoredFile;
  readonly content: VerifiedContent;
  /** What it is to be called where it arrives, with its extension; made by the server, never by the sender. */
  readonly name: string;
}

/** What a browser may do with a PDF that it shows by itself: nothing but show it. */
const INLINE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'; sandbox";

/**
 * Answers with the bytes of a file that nobody should open by accident: no type of its own, never inline. Throws as
 * {@link respondWithFile} does.
 */
export function respondWithBytes(request: Request, response: Response, download: Download): StreamableFile | undefined {
  return respondWithFile(request, response, download, new DownloadQuery(), 'application/octet-stream');
}

/**
 * Answers with a file, or with the part that was asked for (RFC 9110, 13 and 14): ETag from its hash, If-None-Match, If-Range,
 * one range; several ranges at once get the whole file, as 14.2 allows. Throws `RangeNotSatisfiable`, and
 * `UnprocessableFields` when something other than a PDF is to be shown inline.
 */
export function respondWithFile(
  request: Request,
  response: Response,
  { file, content, name }: Download,
  { disposition }: DownloadQuery,
  mediaType = file.mediaType,
): StreamableFile | undefined {
  if (disposition === 'inline' && file.mediaType !== 'application/pdf')
    throw new UnprocessableFields({ fieldErrors: { disposition: ['Only PDF files can be shown inline'] } });
  const etag = `"${file.sha256}"`;
  response.set({
    'Content-Type': mediaType,
    'Content-Disposition': dispositionOf(name, disposition),
    'Accept-Ranges': 'bytes',
    ETag: etag,
  });
  if (disposition === 'inline') response.set('Content-Security-Policy', INLINE_POLICY);
  // Express compares the ETag with If-None-Match
  if (request.fresh) {
    response.status(304);
    for (const header of ['Content-Type', 'Content-Disposition']) response.removeHeader(header);
    return undefined;
  }
  const range = rangeOf(request, file.sizeBytes, etag);
  if (range === undefined) {
    response.set('Content-Length', String(file.sizeBytes));
    return streamFile(content.stream());
  }
  response.status(206).set({
    'Content-Length': String(range.end - range.start + 1),
    'Content-Range': `bytes ${range.start}-${range.end}/${file.sizeBytes}`,
  });
  return streamFile(content.stream(range));
}

/** The part that was asked for; undefined for the whole file. */
function rangeOf(request: Request, sizeBytes: number, etag: string): ByteRange | undefined {
  const ifRange = request.headers['if-range'];
  if (ifRange !== undefined && ifRange !== etag) return undefined;
  const ranges = request.range(sizeBytes);
  if (ranges === -1) throw new RangeNotSatisfiable({ headers: { 'Content-Range': `bytes */${sizeBytes}` } });
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return undefined;
  return ranges[0];
}

/** The header that names a download in ASCII and, where that loses something, in UTF-8 as well (RFC 6266, RFC 8187). */
export function dispositionOf(name: string, type: 'attachment' | 'inline'): string {
  return contentDisposition(name, { type, fallback: asciiOf(name) });
}

/** For readers that know no RFC 8187. */
function asciiOf(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x20-\x7e]/g, '_');
}
