import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { atEnd } from './clean-up.js';

/** A message that reached the end of its DATA. */
export interface ArrivedMail {
  readonly to: string;
  readonly from: string;
  /** As it came over the wire. */
  readonly source: string;
  readonly parsed: Email;
  readonly isEncrypted: boolean;
  readonly user: string | undefined;
  /** By the monotonic clock, in milliseconds. */
  readonly at: number;
}

/** What the server does with a message or a recipient: undefined takes it, hang says nothing, cut ends the connection. */
export type Answer = { readonly code: number; readonly text: string } | 'hang' | 'cut' | undefined;

export interface SmtpScript {
  readonly port?: number;
  readonly options?: SMTPServerOptions;
  /** Asked for each recipient with the number of times that it was asked before. */
  readonly recipient?: (address: string, before: number) => Answer;
  /** Asked when a message is complete; may take its time. */
  readonly message?: (mail: ArrivedMail, before: number) => Answer | Promise<Answer>;
}

/** A real SMTP server that keeps what it takes, until the test is over. */
export interface SmtpSink {
  readonly port: number;
  /** Settings that send a program's mail here. */
  readonly settings: { readonly SMTP_HOST: string; readonly SMTP_PORT: string };
  /** Every message that arrived whole, taken or not, in order. */
  readonly arrived: ArrivedMail[];
  /** Those that the server said it has. */
  readonly taken: ArrivedMail[];
  /** When each recipient was named, by address. */
  readonly asked: Map<string, number[]>;
  /** The mails to a recipient. */
  to(address: string): ArrivedMail[];
  /** Cuts every connection. */
  cut(): void;
  stop(): Promise<void>;
}

export async function startSmtp({ port = 0, options = {}, recipient, message }: SmtpScript = {}): Promise<SmtpSink> {
  const arrived: ArrivedMail[] = [];
  const taken: ArrivedMail[] = [];
  const asked = new Map<string, number[]>();
  const cutOne = (id: string): void => {
    for (const connection of server.connections)
      if ((connection as { id: string }).id === id) cutConnection(connection);
  };
  const server = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: options.cert === undefined,
    closeTimeout: 0,
    onRcptTo({ address }, session, done) {
      const times = asked.get(address) ?? [];
      asked.set(address, [...times, performance.now()]);
      const answer = recipient?.(address, times.length);
      if (answer === 'cut') cutOne(session.id);
      else if (answer !== 'hang') done(toError(answer));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        void (async () => {
          const source = Buffer.concat(chunks);
          const { mailFrom, rcptTo } = session.envelope;
          const mail: ArrivedMail = {
            to: rcptTo.map(({ address }) => address).join(', '),
            from: mailFrom === false ? '' : mailFrom.address,
            source: source.toString('utf8'),
            parsed: await PostalMime.parse(source),
            isEncrypted: session.secure,
            user: session.user as string | undefined,
            at: performance.now(),
          };
          const before = arrived.filter(({ to }) => to === mail.to).length;
          arrived.push(mail);
          const answer = await message?.(mail, before);
          if (answer === undefined) taken.push(mail);
          if (answer === 'cut') cutOne(session.id);
          else if (answer !== 'hang') done(toError(answer));
        })();
      });
    },
    ...options,
  });
  // a connection that a test cuts is no failure of the server
  server.on('error', () => undefined);
  const listener = server.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  const actual = (listener.address() as AddressInfo).port;
  const cut = (): void => {
    for (const connection of server.connections) cutConnection(connection);
  };
  const stop = async (): Promise<void> => {
    cut();
    await new Promise<void>((resolve) => {
      server.close(resolve);
    });
  };
  atEnd(stop);
  return {
    port: actual,
    settings: { SMTP_HOST: '127.0.0.1', SMTP_PORT: String(actual) },
    arrived,
    taken,
    asked,
    to: (address) => arrived.filter((mail) => mail.to === address),
    cut,
    stop,
  };
}

function cutConnection(connection: unknown): void {
  (connection as { _socket: { destroy(): void } })._socket.destroy();
}

function toError(answer: Exclude<Answer, string>): Error | undefined {
  return answer === undefined ? undefined : Object.assign(new Error(answer.text), { responseCode: answer.code });
}

/** A server on plain sockets, for what no mail server does; ended with the test. Resolves to its port. */
export async function startRawServer(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
    onConnection(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  atEnd(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return String((server.address() as AddressInfo).port);
}
