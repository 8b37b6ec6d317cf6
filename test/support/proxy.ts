import { createServer, type IncomingMessage, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { atEnd } from './clean-up.js';

export interface Interference {
  /** Answers with this status itself. */
  readonly status?: number;
  readonly body?: string;
  /** Cuts the connection in the middle of the request, before the answer, or in the middle of its body. */
  readonly cut?: 'request' | 'answer' | 'body';
  /** Never answers. */
  readonly isSilent?: true;
  /** Sends on other bytes than came. */
  readonly change?: (body: Buffer) => Buffer;
  /** Headers that do not get through. */
  readonly without?: readonly string[];
}

export interface Proxy {
  readonly url: string;
  /** The methods of all requests, in order. */
  readonly methods: string[];
}

/**
 * A network between the program and a server that can be told to fail: asked for each request with the number of requests of
 * the same method before it; undefined lets the request pass untouched. Runs until the test is over.
 */
export async function startProxy(
  target: string,
  interfere: (request: IncomingMessage, before: number) => Interference | undefined,
): Promise<Proxy> {
  const methods: string[] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '/', headers } = request;
    const before = methods.filter((each) => each === method).length;
    methods.push(method);
    const { status, body = '', cut, isSilent, change, without = [] } = interfere(request, before) ?? {};
    if (isSilent) return;
    if (status !== undefined) {
      request.resume().on('end', () => response.writeHead(status).end(body));
      return;
    }
    if (cut === 'request') {
      request.once('data', () => request.destroy()).on('end', () => request.destroy());
      return;
    }
    void (async () => {
      const received = await buffer(request);
      const sent = change?.(received) ?? received;
      const passed = Object.entries(headers).filter(([name]) => !without.includes(name) && name !== 'expect');
      if ('content-length' in headers) passed.push(['content-length', String(sent.length)]);
      // as every proxy in front of WebDAV must: the server refuses to move files elsewhere
      const { destination } = headers;
      if (typeof destination === 'string')
        passed.push(['destination', new URL(new URL(destination).pathname, target).href]);
      const onward = send(new URL(url, target), { method, headers: Object.fromEntries(passed), agent: false });
      onward.on('error', () => response.destroy());
      onward.on('response', (answer) => {
        if (cut === 'answer') {
          response.destroy();
          return;
        }
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        if (cut === 'body') answer.once('data', (chunk: Buffer) => response.write(chunk, () => response.destroy()));
        else answer.pipe(response);
      });
      onward.end(sent);
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, methods };
}
