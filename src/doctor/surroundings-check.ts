import { createClient } from '@redis/client';
import { createServer } from 'node:net';
import type { Clock } from '../common/clock.js';
import type { Config } from '../config/config.js';
import { ClamAvScanner } from '../files/scan/clamav.scanner.js';
import { checkMailServer } from '../mail/mail-status.service.js';
import { type Finding, failed, fine, wordsOf, skipped, warning } from './finding.js';

const ANSWER_WITHIN_MS = 5_000;
const LAST_NODE_WITHOUT_CARE = 20;

/** Whether the mail server is there, encrypts and lets us in. It is handed no message. */
export async function checkMail({ mail }: Config, clock: Clock): Promise<readonly Finding[]> {
  if (mail.smtp === undefined) return [skipped('mail', 'SMTP_HOST is not set: mails are written into a folder')];
  const { host, port, isReachable, tlsVersion, isAuthenticated, error } = await checkMailServer(
    mail.smtp,
    mail.sendWithinMs,
    clock.now(),
  );
  const at = `${host}:${port}`;
  const why = error === null ? '' : `: ${error}`;
  if (!isReachable)
    return [
      failed('mail', `${at} is not reached${why}`, 'Correct SMTP_HOST and SMTP_PORT; see that no firewall is between'),
    ];
  if (isAuthenticated === false)
    return [failed('mail', `${at} does not let us in${why}`, 'Correct SMTP_USERNAME and SMTP_PASSWORD')];
  if (error !== null)
    return [
      failed('mail', `${at} does not encrypt as it should${why}`, 'Correct SMTP_TLS and SMTP_PORT, or the certificate'),
    ];
  if (tlsVersion === null)
    return [warning('mail', `${at} answers, without encryption`, 'Set SMTP_TLS=starttls where the server can do it')];
  return [fine('mail', `${at} answers, with ${tlsVersion}${isAuthenticated === true ? ', and lets us in' : ''}`)];
}

/** The Redis or Valkey that processes share limits by. */
export async function checkRedis({ rateLimits: { redisUrl } }: Config): Promise<readonly Finding[]> {
  if (redisUrl === undefined) return [];
  const client = createClient({
    url: redisUrl,
    socket: { connectTimeout: ANSWER_WITHIN_MS, reconnectStrategy: false },
  });
  // the promise says it as well
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.ping();
    return [fine('redis', 'it answers')];
  } catch (error) {
    return [
      failed(
        'redis',
        wordsOf(error),
        'Start it, or correct REDIS_URL; until then each process counts requests by itself',
      ),
    ];
  } finally {
    client.destroy();
  }
}

/** ClamAV’s clamd, where uploads are scanned. */
export async function checkScanner({ files: { scan } }: Config): Promise<readonly Finding[]> {
  if (scan.policy === 'off') return [];
  try {
    await new ClamAvScanner({ host: scan.host, port: scan.port, timeoutMs: ANSWER_WITHIN_MS }).check();
    return [fine('clamav', 'clamd answers')];
  } catch (error) {
    const effect = scan.policy === 'required' ? 'uploads are refused' : 'files that were uploaded are not served';
    return [
      failed('clamav', wordsOf(error), `Start clamd, or correct CLAMAV_HOST and CLAMAV_PORT; until then ${effect}`),
    ];
  }
}

/** Whether the port is free, or held by Forecourt itself. */
export async function checkPort({ role, http: { host, port } }: Config): Promise<readonly Finding[]> {
  if (role === 'worker' || port === 0) return [skipped('port', 'none is fixed by the settings')];
  const refusal = await tryPort(host, port);
  if (refusal === undefined) return [fine('port', `${port} is free`)];
  if (refusal.code === 'EADDRINUSE')
    return (await isForecourt(host, port))
      ? [fine('port', `Forecourt answers at ${port}`)]
      : [failed('port', `another program holds ${port}`, 'End that program, or set PORT to another port')];
  if (refusal.code === 'EACCES')
    return [
      failed('port', `this user may not open ${port}`, 'Set PORT to 1024 or above, and let the proxy listen on 443'),
    ];
  return [failed('port', wordsOf(refusal), 'Set HOST to an address of this machine, or to 0.0.0.0')];
}

function tryPort(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}

async function isForecourt(host: string, port: number): Promise<boolean> {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  try {
    const response = await fetch(`http://${name}:${port}/health/live`, {
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      redirect: 'error',
    });
    const body = (await response.json()) as { status?: unknown } | null;
    return response.headers.has('x-request-id') && typeof body?.status === 'string';
  } catch {
    return false;
  }
}

/** The version of Node that runs this; an older one than package.json asks for starts nothing. */
export function checkNode({ isProduction }: Config, version = process.versions.node): Finding {
  return isProduction && Number.parseInt(version, 10) <= LAST_NODE_WITHOUT_CARE
    ? warning('node', `Node ${version} gets no security updates any more`, 'Run Node 24, as the image does')
    : fine('node', `Node ${version}`);
}
