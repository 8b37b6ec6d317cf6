import type SMTPPool from 'nodemailer/lib/smtp-pool/index.js';
import type StreamTransport from 'nodemailer/lib/stream-transport/index.js';
import type { Config } from '../config/config.js';

/** With a mail server: a pool of connections to it. Without: the finished message comes back as bytes for the `.eml` file. */
export function mailTransport(config: Config): SMTPPool.Options | StreamTransport.Options {
  const { smtp } = config.mail;
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
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}
