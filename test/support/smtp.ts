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

/** What the server says to a message or a recipient: undefined takes it. */
type Answer = { readonly code: number; readonly text: string } | undefined;

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
  const asked = new Map<string, number[]>();
  const server = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: options.cert === undefined,
    closeTimeout: 0,
    onRcptTo({ address }, _session, done) {
      const times = asked.get(address) ?? [];
      asked.set(address, [...times, performance.now()]);
      done(toError(recipient?.(address, times.length)));
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
          done(toError(await message?.(mail, before)));
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
    for (const connection of server.connections) (connection as { _socket: { destroy(): void } })._socket.destroy();
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
    asked,
    to: (address) => arrived.filter((mail) => mail.to === address),
    cut,
    stop,
  };
}

function toError(answer: Answer): Error | undefined {
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
