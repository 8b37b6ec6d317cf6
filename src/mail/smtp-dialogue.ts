import SMTPConnection from 'nodemailer/lib/smtp-connection/index.js';
import type { TLSSocket } from 'node:tls';
import type { Config } from '../config/config.js';
import { connectionTo } from './mail.transport.js';

export type SmtpStage = 'connected' | 'encrypted' | 'authenticated' | 'accepted';

/** How far a connection came. What is skipped was neither asked for nor offered; what comes after a failure is not there. */
export interface SmtpStep {
  readonly stage: SmtpStage;
  readonly result: 'ok' | 'failed' | 'skipped';
  /** The server's own, where it said something; otherwise what was wrong, or how it is encrypted. */
  readonly words: string;
}

export interface SmtpMessage {
  readonly from: string;
  readonly to: string;
  readonly bytes: Buffer;
}

const LONGEST_WORDS = 1000;
/** Errors of a certificate or of the handshake, by the code that Node gives them. */
const ABOUT_TLS = /CERT|TLS|SSL|SIGNED/;

/**
 * One connection to the mail server, apart from those that deliver: reached, encrypted, signed in and, where there is a
 * message, handed over. Never throws for what the server says or fails to say, and is over within the limit.
 */
export class SmtpDialogue {
  readonly steps: SmtpStep[] = [];
  private stage: SmtpStage = 'connected';
  private greeting: string | undefined;
  private readonly connection: SMTPConnection;

  constructor(
    private readonly smtp: NonNullable<Config['mail']['smtp']>,
    private readonly withinMs: number,
  ) {
    this.connection = new SMTPConnection({
      ...connectionTo(smtp, withinMs),
      transactionLog: true,
      logger: listener((reply) => {
        this.greeting ??= reply;
      }),
    });
  }

  /** The protocol of the encryption, such as `TLSv1.3`; null when there is none. */
  tlsVersion: string | null = null;

  async hold(message?: SmtpMessage): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<never>((_, reject) => {
      this.connection.on('error', reject);
      this.connection.on('end', () => {
        reject(new Error('the server ended the connection'));
      });
      timer = setTimeout(() => {
        reject(new Error(`no answer within ${this.withinMs / 1000} seconds`));
      }, this.withinMs);
    });
    try {
      await Promise.race([over, this.talk(message)]);
    } catch (error) {
      this.noteFailure(error);
    } finally {
      clearTimeout(timer);
      this.connection.close();
    }
  }

  private async talk(message: SmtpMessage | undefined): Promise<void> {
    await answered<unknown>((done) => {
      this.connection.connect(done);
    });
    this.note('connected', 'ok', this.greeting ?? '');
    this.noteEncryption();
    await this.signIn();
    if (message !== undefined) await this.handOver(message);
    this.connection.quit();
  }

  private noteEncryption(): void {
    if (!this.connection.secure) {
      this.note('encrypted', 'skipped', 'the connection is not encrypted');
      return;
    }
    const socket = this.connection._socket as TLSSocket;
    this.tlsVersion = socket.getProtocol();
    this.note('encrypted', 'ok', `${this.tlsVersion ?? 'TLS'}, ${socket.getCipher().name}`);
  }

  private async signIn(): Promise<void> {
    this.stage = 'authenticated';
    const { username, password = '' } = this.smtp;
    if (username === undefined) {
      this.note('authenticated', 'skipped', 'SMTP_USERNAME is not set');
      return;
    }
    await answered<unknown>((done) => {
      this.connection.login({ user: username, pass: password }, done);
    });
    this.note('authenticated', 'ok', this.connection.lastServerResponse || '');
  }

  private async handOver({ from, to, bytes }: SmtpMessage): Promise<void> {
    this.stage = 'accepted';
    const { response } = await answered<{ readonly response: string }>((done) => {
      this.connection.send({ from, to: [to] }, bytes, done);
    });
    this.note('accepted', 'ok', response);
  }

  private note(stage: SmtpStage, result: SmtpStep['result'], words: string): void {
    this.steps.push({ stage, result, words: this.withoutSecrets(words).slice(0, LONGEST_WORDS) });
  }

  private noteFailure(error: unknown): void {
    const { code, originalCode, response, command, message } = error as Readonly<Record<string, unknown>>;
    if (this.stage === 'connected') {
      const isAboutTls =
        code === 'ETLS' || command === 'STARTTLS' || (typeof originalCode === 'string' && ABOUT_TLS.test(originalCode));
      if (isAboutTls) {
        this.note('connected', 'ok', this.greeting ?? '');
        this.stage = 'encrypted';
      }
    }
    this.note(this.stage, 'failed', typeof response === 'string' ? response : String(message));
  }

  /** Servers have been seen to repeat what they were told. */
  private withoutSecrets(words: string): string {
    const { username, password } = this.smtp;
    if (password === undefined) return words;
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    return [base64(`\0${username ?? ''}\0${password}`), base64(password), password].reduce(
      (text, secret) => text.replaceAll(secret, '***'),
      words,
    );
  }
}

function answered<T>(ask: (done: (error?: Error | null, answer?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    ask((error, answer) => {
      if (error === undefined || error === null) resolve(answer as T);
      else reject(error);
    });
  });
}

/** A logger for nodemailer that hears what the server says and keeps nothing of what it is told. */
function listener(
  hear: (reply: string) => void,
): Record<'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal', (entry: unknown, text?: unknown) => void> {
  const note = (entry: unknown, text?: unknown): void => {
    if ((entry as { readonly tnx?: unknown }).tnx === 'server' && typeof text === 'string') hear(text);
  };
  return { trace: note, debug: note, info: note, warn: note, error: note, fatal: note };
}
