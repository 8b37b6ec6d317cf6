import { XMLParser } from 'fast-xml-parser';
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import type { WebdavSettings } from '../../config/storage-config.js';
import { isConnectionError, isPassingStatus } from './retries.js';

/** Basic authentication is the one kind that is spoken. */
export interface WebdavOptions extends WebdavSettings {
  /** How long nothing may move on a connection; 60 seconds when unset. */
  readonly timeoutMs?: number;
}

/** What a server says of one thing in it. */
export interface WebdavResource {
  /** The last part of its path. */
  readonly name: string;
  readonly isFolder: boolean;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
}

/** An answer that is not one of those hoped for. */
export class WebdavRefusal extends Error {
  constructor(
    method: string,
    readonly status: number,
  ) {
    super(`the server answered ${status} to ${method}`);
  }

  /** Whether another try may be answered otherwise. */
  get mayPass(): boolean {
    return isPassingStatus(this.status);
  }
}

export function mayPass(error: unknown): boolean {
  return error instanceof WebdavRefusal ? error.mayPass : isConnectionError(error);
}

interface WebdavRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readable;
  readonly sizeBytes?: number;
}

const CONNECT_WITHIN_MS = 5000;
const IDLE_AT_MOST_MS = 60_000;
/** A server that knows nothing of `Expect` never says to go on (RFC 9110, 10.1.1). */
const GO_ON_AFTER_MS = 1000;
const LARGE_BODY_BYTES = 64 * 1024;
const LARGEST_LISTING_BYTES = 64 * 1024 * 1024;

const PROPERTIES =
  '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop>' +
  '<resourcetype/><getcontentlength/><getlastmodified/></prop></propfind>';

const parser = new XMLParser({
  removeNSPrefix: true,
  parseTagValue: false,
  isArray: (name) => name === 'response' || name === 'propstat',
});

/**
 * Speaks WebDAV (RFC 4918) over Node's own HTTP: the `webdav` package limits neither the wait for a connection nor a transfer
 * that stands still, and refuses a server that answers a range with the whole. Redirections are not followed, for they
 * could take the password elsewhere.
 */
export class WebdavClient {
  private readonly base: URL;
  private readonly agent: HttpAgent;
  private readonly authorization: Readonly<Record<string, string>>;
  private readonly idleAtMostMs: number;

  constructor({ url, username, password, timeoutMs = IDLE_AT_MOST_MS }: WebdavOptions) {
    this.base = new URL(url.endsWith('/') ? url : `${url}/`);
    // whatever the address says of a user, only the settings count
    this.base.username = this.base.password = '';
    this.agent = new (this.base.protocol === 'https:' ? HttpsAgent : HttpAgent)({ keepAlive: true });
    this.authorization =
      username === undefined
        ? {}
        : { Authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` };
    this.idleAtMostMs = timeoutMs;
  }

  /** The answer, whose body must be read or destroyed. Throws {@link WebdavRefusal} when its status is not expected. */
  async send(
    method: string,
    path: string,
    expected: readonly number[],
    request: WebdavRequest = {},
  ): Promise<IncomingMessage> {
    const response = await this.exchange(method, path, request);
    const status = response.statusCode ?? 0;
    if (expected.includes(status)) return response;
    discard(response);
    throw new WebdavRefusal(method, status);
  }

  /** As {@link send}, for answers that say nothing but their status. */
  async do(method: string, path: string, expected: readonly number[], request?: WebdavRequest): Promise<void> {
    discard(await this.send(method, path, expected, request));
  }

  /** Renames a file, in place of what was there. Both are paths below the folder. */
  async move(from: string, to: string): Promise<void> {
    // the whole address, though RFC 4918, 10.3 allows a path: Apache answers 400 to that
    const { href: Destination } = new URL(to, this.base);
    await this.do('MOVE', from, [201, 204], { headers: { Destination, Overwrite: 'T' } });
  }

  /** What there is at the path. Throws {@link WebdavRefusal} with status 404 when there is nothing. */
  async find(path: string): Promise<WebdavResource> {
    const { resources } = await this.properties(path, '0');
    const [resource] = resources;
    if (resource === undefined) throw new WebdavRefusal('PROPFIND', 404);
    return resource;
  }

  /** What is in a folder, and the server's own time. Throws {@link WebdavRefusal} with status 404 when there is no folder. */
  async contents(folder: string): Promise<{ readonly resources: WebdavResource[]; readonly serverTime: Date }> {
    const { resources, serverTime } = await this.properties(folder, '1');
    const own = new URL(folder, this.base).pathname.split('/').at(-2) ?? '';
    const self = resources.findIndex(({ name, isFolder }) => isFolder && name === decodeURIComponent(own));
    return { resources: resources.filter((_, index) => index !== self), serverTime };
  }

  private async properties(path: string, depth: '0' | '1'): Promise<{ resources: WebdavResource[]; serverTime: Date }> {
    const headers = { Depth: depth, 'Content-Type': 'application/xml; charset=utf-8' };
    const response = await this.exchange('PROPFIND', path, { headers }, PROPERTIES);
    if (response.statusCode !== 207) {
      discard(response);
      throw new WebdavRefusal('PROPFIND', response.statusCode ?? 0);
    }
    const resources = resourcesIn(await textOf(response));
    return { resources, serverTime: new Date(response.headers.date ?? 0) };
  }

  private exchange(
    method: string,
    path: string,
    { headers, body, sizeBytes = 0 }: WebdavRequest,
    text = '',
  ): Promise<IncomingMessage> {
    const url = new URL(path, this.base);
    const length = body === undefined ? Buffer.byteLength(text) : sizeBytes;
    const waits = body !== undefined && length > LARGE_BODY_BYTES;
    return new Promise((resolve, reject) => {
      const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
        method,
        agent: this.agent,
        headers: {
          ...this.authorization,
          ...headers,
          'Accept-Encoding': 'identity',
          ...(length > 0 || method === 'PUT' ? { 'Content-Length': length } : {}),
          ...(waits ? { Expect: '100-continue' } : {}),
        },
      });
      let response: IncomingMessage | undefined;
      request.setTimeout(this.idleAtMostMs, () => {
        const error = timeout(`nothing moved for ${this.idleAtMostMs} ms`);
        response?.destroy(error);
        request.destroy(error);
      });
      request.on('socket', (socket) => {
        if (!socket.connecting) return;
        const timer = setTimeout(() => {
          request.destroy(timeout(`no connection within ${CONNECT_WITHIN_MS} ms`));
        }, CONNECT_WITHIN_MS);
        const done = (): void => {
          clearTimeout(timer);
        };
        socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', done).once('close', done);
      });
      request.on('response', (answer) => {
        response = answer;
        // an answer before the end of the body is a refusal: the rest need not be sent, nor this connection used again
        if (body !== undefined && !request.writableEnded) {
          answer.on('close', () => request.destroy());
          body.unpipe(request);
          body.destroy();
        }
        resolve(answer);
      });
      request.on('error', (error) => {
        body?.destroy();
        reject(error);
      });
      if (body === undefined) {
        request.end(text);
        return;
      }
      let isSending = false;
      const send = (): void => {
        if (isSending || body.destroyed || request.destroyed) return;
        isSending = true;
        // what goes wrong with the request arrives in its own event
        pipeline(body, request, (error) => {
          if (error != null && response === undefined) reject(error);
        });
      };
      if (!waits) {
        send();
        return;
      }
      const timer = setTimeout(send, GO_ON_AFTER_MS);
      request.on('continue', send).on('close', () => {
        clearTimeout(timer);
      });
      request.flushHeaders();
    });
  }
}

function timeout(message: string): Error {
  return Object.assign(new Error(message), { code: 'ETIMEDOUT' });
}

/** Lets go of an answer that nobody reads. */
function discard(response: IncomingMessage): void {
  response.on('error', () => undefined);
  response.resume();
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_LISTING_BYTES) throw new Error('the server lists more than can be read');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

interface Multistatus {
  readonly multistatus?: {
    readonly response?: readonly {
      readonly href?: string;
      readonly propstat?: readonly {
        readonly status?: string;
        readonly prop?: {
          readonly resourcetype?: string | { readonly collection?: unknown };
          readonly getcontentlength?: string;
          readonly getlastmodified?: string;
        };
      }[];
    }[];
  };
}

/** RFC 4918, 14.16 and 14.24: properties come by status, and only those with 200 are there. */
function resourcesIn(xml: string): WebdavResource[] {
  const { multistatus } = parser.parse(xml) as Multistatus;
  if (multistatus === undefined) throw new Error('the server does not answer in the language of WebDAV');
  return (multistatus.response ?? []).flatMap(({ href, propstat }) => {
    const prop = propstat?.find(({ status }) => status?.includes(' 200') === true)?.prop;
    const name = href?.split('/').findLast((part) => part !== '');
    if (prop === undefined || name === undefined) return [];
    return {
      name: decoded(name),
      isFolder: typeof prop.resourcetype === 'object' && 'collection' in prop.resourcetype,
      sizeBytes: Number(prop.getcontentlength ?? 0),
      modifiedAt: new Date(prop.getlastmodified ?? 0),
    };
  });
}

/** A name that is badly encoded is none of ours. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
