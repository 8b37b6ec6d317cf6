import type { NextFunction, Request, Response } from 'express';

/**
 * The seven headers on every answer. X-XSS-Protection is 0 because the filter it once switched on could itself be
 * abused and no browser has it any more; the content security policy does that work (OWASP Secure Headers Project).
 */
export const SECURITY_HEADERS: ReadonlyMap<string, string> = new Map([
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['X-XSS-Protection', '0'],
  ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains'],
  ['Content-Security-Policy', "default-src 'self'; frame-ancestors 'none'"],
  ['Referrer-Policy', 'strict-origin-when-cross-origin'],
  ['Permissions-Policy', 'geolocation=(), microphone=(), camera=()'],
]);

/**
 * Sets the seven headers, and keeps everything out of shared caches: nearly every answer is about a person. A route
 * whose answer may be kept says so itself.
 */
export function securityHeaders(_request: Request, response: Response, next: NextFunction): void {
  for (const [name, value] of SECURITY_HEADERS) response.setHeader(name, value);
  response.setHeader('Cache-Control', 'no-store');
  next();
}
