import type DKIM from 'nodemailer/lib/dkim/index.js';
import type SMTPConnection from 'nodemailer/lib/smtp-connection/index.js';
import type SMTPPool from 'nodemailer/lib/smtp-pool/index.js';
import type StreamTransport from 'nodemailer/lib/stream-transport/index.js';
import type { Config } from '../config/config.js';

const CONNECT_WITHIN_MS = 10_000;

type Smtp = NonNullable<Config['mail']['smtp']>;

interface Signed {
  readonly dkim?: DKIM.SingleKeyOptions;
}

/** With a mail server: a pool of connections to it. Without: the finished message comes back as bytes for the `.eml` file. */
export function mailTransport(config: Config): (SMTPPool.Options | StreamTransport.Options) & Signed {
  const { smtp, sendWithinMs, connections } = config.mail;
  if (smtp === undefined) return composingTransport(config);
  const { username, password } = smtp;
  return {
    ...connectionTo(smtp, sendWithinMs),
    ...signing(config),
    pool: true,
    maxConnections: connections,
    maxMessages: 100,
    // one more connection where the server ended an idle one; everything else is for the queue to repeat
    maxRequeues: 1,
    ...(username === undefined ? {} : { auth: { user: username, pass: password ?? '' } }),
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** Makes messages, signed as those that are sent, and leaves them to the caller. */
export function composingTransport(config: Config): StreamTransport.Options & Signed {
  return { streamTransport: true, buffer: true, newline: 'windows', ...signing(config) };
}

/** How to reach the server, without signing in. */
export function connectionTo({ host, port, tls, username }: Smtp, withinMs: number): SMTPConnection.Options {
  return {
    host,
    port,
    secure: tls === 'tls' || (tls === 'auto' && port === 465),
    // a password never goes over an open line, unless the operator insists
    requireTLS: tls === 'starttls' || (tls === 'auto' && username !== undefined),
    ignoreTLS: tls === 'none',
    connectionTimeout: Math.min(CONNECT_WITHIN_MS, withinMs),
    greetingTimeout: Math.min(CONNECT_WITHIN_MS, withinMs),
    socketTimeout: withinMs,
  };
}

function signing({ mail: { dkim } }: Config): Signed {
  if (dkim === undefined) return {};
  const { domain, selector, privateKey } = dkim;
  return { dkim: { domainName: domain, keySelector: selector, privateKey } };
}
