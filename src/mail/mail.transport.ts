import type SMTPPool from 'nodemailer/lib/smtp-pool/index.js';
import type StreamTransport from 'nodemailer/lib/stream-transport/index.js';
import type { Config } from '../config/config.js';

const CONNECT_WITHIN_MS = 10_000;

/** With a mail server: a pool of connections to it. Without: the finished message comes back as bytes for the `.eml` file. */
export function mailTransport(config: Config): SMTPPool.Options | StreamTransport.Options {
  const { smtp, sendWithinMs } = config.mail;
  if (smtp === undefined) return { streamTransport: true, buffer: true, newline: 'windows' };
  const { host, port, tls, username, password } = smtp;
  return {
    host,
    port,
    pool: true,
    maxConnections: config.jobs.concurrency,
    maxMessages: 100,
    // one more connection where the server ended an idle one; everything else is for the queue to repeat
    maxRequeues: 1,
    secure: tls === 'tls' || (tls === 'auto' && port === 465),
    // a password never goes over an open line, unless the operator insists
    requireTLS: tls === 'starttls' || (tls === 'auto' && username !== undefined),
    ignoreTLS: tls === 'none',
    ...(username === undefined ? {} : { auth: { user: username, pass: password ?? '' } }),
    connectionTimeout: Math.min(CONNECT_WITHIN_MS, sendWithinMs),
    greetingTimeout: Math.min(CONNECT_WITHIN_MS, sendWithinMs),
    socketTimeout: sendWithinMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}
