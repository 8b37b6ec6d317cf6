import type { Logger } from 'pino';
import type { Config } from '../config/config.js';

/** What a process says of itself when it is there. */
export interface Readiness {
  /** Undefined where it serves no requests. */
  readonly port: number | undefined;
  /** Of the first admin, if this start made one. */
  readonly newPassword: string | undefined;
}

/** What a person who just started Forecourt needs to know; the admin's new password is shown this once. */
export function greet({ port, newPassword }: Readiness, config: Config, logger: Logger): void {
  const { role, processes } = config;
  const many = processes === 1 ? {} : { processes };
  if (port === undefined) {
    logger.info({ role, ...many }, 'Forecourt runs background jobs');
    return;
  }
  const address = config.http.port === 0 ? `http://localhost:${port}` : config.http.publicUrl;
  logger.info({ port, role, ...many }, `Forecourt listens on port ${port}`);
  if (config.isProduction) return;
  const lines = [
    `  Forecourt      ${address}`,
    ...(config.http.docsEnabled ? [`  API docs       ${address}/docs`] : []),
    ...(config.mail.smtp === undefined ? [`  Mail inbox     ${address}/dev/mail`] : []),
    `  Admin          ${config.admin.username}`,
    ...(newPassword === undefined ? [] : [`  Password       ${newPassword}   (shown only this once)`]),
  ];
  process.stdout.write(`\n${lines.join('\n')}\n\n`);
}
