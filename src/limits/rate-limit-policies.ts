import type { RateLimitedRoute } from '../common/rate-limited.js';
import type { Config } from '../config/config.js';

/** Classes of requests that are counted together. */
export type RateLimitClass = RateLimitedRoute | 'recipient' | 'address' | 'read' | 'write' | 'admin' | 'key';

export interface RateLimitPolicy {
  /** Within any minute. */
  readonly limit: number;
  /** Asks the store at every request. The others count in memory and tell the store once a second. */
  readonly isExact: boolean;
}

/**
 * Everything that is limited, and how. Per caller's address: `submit`, `login`, `download`, `mail_test`, and `address` for
 * all other requests to the API together. Per user: `read`, `write` and `admin`. Per API key: `key`, for all its requests and
 * instead of those of its owner, so that a program does not use up what its owner needs. Per mailbox: `recipient`, so that the
 * public form's confirmations trouble nobody. The defaults suit an office whose people share one address.
 */
export function policiesOf({ rateLimits }: Config): Readonly<Record<RateLimitClass, RateLimitPolicy>> {
  return {
    submit: { limit: rateLimits.submitPerMinute, isExact: true },
    login: { limit: rateLimits.loginPerMinute, isExact: true },
    download: { limit: rateLimits.downloadPerMinute, isExact: true },
    mail_test: { limit: rateLimits.mailTestPerMinute, isExact: true },
    recipient: { limit: rateLimits.recipientPerMinute, isExact: true },
    address: { limit: rateLimits.addressPerMinute, isExact: false },
    read: { limit: rateLimits.readPerMinute, isExact: false },
    write: { limit: rateLimits.writePerMinute, isExact: false },
    admin: { limit: rateLimits.adminPerMinute, isExact: false },
    key: { limit: rateLimits.keyPerMinute, isExact: false },
  };
}

/** The class of a request of somebody who is signed in. */
export function classOf(method: string, path: string): RateLimitClass {
  if (/^\/api\/v\d+\/admin\//.test(path)) return 'admin';
  return method === 'GET' || method === 'HEAD' ? 'read' : 'write';
}
