import type { Response } from 'express';

/** A message may show its own styles and the pictures that it carries. It runs nothing, loads nothing and leads nowhere. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox";

/** Makes the answer one that shows what strangers wrote. */
export function asPreview(response: Response, format: 'html' | 'text', body: string): string {
  response.setHeader('Content-Type', `text/${format === 'html' ? 'html' : 'plain'}; charset=utf-8`);
  response.setHeader('Content-Security-Policy', POLICY);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cache-Control', 'no-store');
  return body;
}
