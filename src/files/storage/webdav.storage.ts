import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { AppError, type Refusal } from '../../common/errors.js';
import {
  FileNotFound,
  FileNotStored,
  FileStorageFull,
  FileStorageUnavailable,
  FileUnreadable,
} from '../files.errors.js';
import { type ByteRange, FileStorage, type SpooledFile, type StoredObject } from './file-storage.js';
import { isConnectionError, reasonOf, withRetries } from './retries.js';
import { bytesOf, isKey, isSameAs, rangeOf } from './spooled-bytes.js';
import { mayPass, WebdavClient, type WebdavOptions, WebdavRefusal } from './webdav-client.js';

/** Where files are on their way in. Its dot hides it from {@link WebdavStorage.list}. */
const INCOMING = '.incoming/';

/** A file that has not arrived after this long belongs to a process that died. */
const ABANDONED_AFTER_MS = 3_600_000;

/**
 * Files on a WebDAV server, in one folder for each first two characters of a key. A file is sent under a temporary name, read
 * back, and only then moved to its place, so that a name never stands for half a file.
 */
export class WebdavStorage extends FileStorage {
  readonly driver = 'webdav';
  private readonly client: WebdavClient;
  /** The folders that are known to be there, and those that are being made. */
  private readonly folders = new Map<string, Promise<void>>();

  constructor(
    options: WebdavOptions,
    private readonly log: Logger,
  ) {
    super();
    this.client = new WebdavClient(options);
  }

  async put(key: string, file: SpooledFile): Promise<void> {
    const path = pathOf(key);
    await this.orRefuse(FileNotStored, 'storing a file over WebDAV', async () => {
      const incoming = `${INCOMING}${randomUUID()}`;
      try {
        await Promise.all([this.ensureFolder(INCOMING), this.ensureFolder(folderOf(key))]);
        const body = Readable.from(bytesOf(file), { objectMode: false });
        await this.client.do('PUT', incoming, [200, 201, 204], { body, sizeBytes: file.sizeBytes });
        if (!(await isSameAs(file, await this.client.send('GET', incoming, [200]))))
          throw new Error('the server does not give back what it took');
        await this.client.move(incoming, path);
      } catch (error) {
        // a folder may have gone away since it was made
        this.folders.clear();
        await this.client.do('DELETE', incoming, [200, 202, 204, 404]).catch((left: unknown) => {
          this.log.warn({ reason: reasonOf(left) }, 'what was left of a failed upload could not be removed yet');
        });
        throw error;
      }
    });
  }

  async open(key: string, range?: ByteRange): Promise<Readable> {
    const path = pathOf(key);
    return this.orRefuse(FileUnreadable, 'opening a file over WebDAV', async () => {
      if (range === undefined) return this.client.send('GET', path, [200]);
      const headers = { Range: `bytes=${range.start}-${range.end}` };
      const response = await this.client.send('GET', path, [200, 206], { headers });
      return rangeOf(response, response.headers['content-range'], range);
    });
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    const path = pathOf(key);
    try {
      const found = await this.orRefuse(FileUnreadable, 'asking for a file over WebDAV', () => this.client.find(path));
      return found.isFolder ? undefined : { key, sizeBytes: found.sizeBytes, modifiedAt: found.modifiedAt };
    } catch (error) {
      if (error instanceof FileNotFound) return undefined;
      throw error;
    }
  }

  async remove(key: string): Promise<void> {
    const path = pathOf(key);
    await this.orRefuse(FileNotStored, 'removing a file over WebDAV', () =>
      this.client.do('DELETE', path, [200, 202, 204, 404, 410]),
    );
  }

  async *list(): AsyncIterable<StoredObject> {
    for (const { name: folder, isFolder } of await this.contentsOf('')) {
      if (!isFolder || !isKey(folder)) continue;
      for (const { name: key, isFolder: isNoFile, sizeBytes, modifiedAt } of await this.contentsOf(`${folder}/`))
        if (!isNoFile && isKey(key) && folderOf(key) === `${folder}/`) yield { key, sizeBytes, modifiedAt };
    }
  }

  async prepare(): Promise<void> {
    try {
      await this.makeFolder('');
      await this.makeFolder(INCOMING);
      await this.removeAbandoned();
      await this.probe();
    } catch (error) {
      throw explained(error);
    }
  }

  async check(): Promise<void> {
    await this.orRefuse(FileNotStored, 'trying a file over WebDAV', () => this.probe());
  }

  private async probe(): Promise<void> {
    const path = `.probe-${randomUUID()}`;
    const bytes = Buffer.from('probe');
    await this.client.do('PUT', path, [200, 201, 204], { body: Readable.from([bytes]), sizeBytes: bytes.length });
    try {
      const given = await (await this.client.send('GET', path, [200])).toArray();
      if (!Buffer.concat(given as Buffer[]).equals(bytes))
        throw new Error('the server does not give back what it took');
    } finally {
      await this.client.do('DELETE', path, [200, 202, 204, 404]);
    }
  }

  /** By the server's own time, which also dates the files. */
  private async removeAbandoned(): Promise<void> {
    const { resources, serverTime } = await this.client.contents(INCOMING);
    for (const { name, modifiedAt } of resources)
      if (serverTime.getTime() - modifiedAt.getTime() > ABANDONED_AFTER_MS)
        await this.client.do('DELETE', `${INCOMING}${encodeURIComponent(name)}`, [200, 202, 204, 404]);
  }

  private async contentsOf(folder: string): Promise<Awaited<ReturnType<WebdavClient['contents']>>['resources']> {
    return this.orRefuse(FileUnreadable, 'listing files over WebDAV', async () => {
      try {
        return (await this.client.contents(folder)).resources;
      } catch (error) {
        if (error instanceof WebdavRefusal && error.status === 404) return [];
        throw error;
      }
    });
  }

  /** Makes a folder once, however many wait for it. */
  private ensureFolder(folder: string): Promise<void> {
    let made = this.folders.get(folder);
    if (made === undefined) {
      made = this.makeFolder(folder);
      this.folders.set(folder, made);
    }
    return made;
  }

  private async makeFolder(folder: string): Promise<void> {
    try {
      await this.client.do('MKCOL', folder, [201, 405]);
    } catch (error) {
      // servers differ in what they say to two processes that make the same folder
      const isThere = await this.client.find(folder).then(
        (found) => found.isFolder,
        () => false,
      );
      if (!isThere) throw error;
    }
  }

  /** Tries again what may pass, and gives what does not its refusal. */
  private async orRefuse<T>(Otherwise: Refusal, what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await withRetries(what, this.log, (error) => mayPass(error) || isConflict(error), work);
    } catch (error) {
      if (error instanceof AppError) throw error;
      const status = error instanceof WebdavRefusal ? error.status : undefined;
      if (status === 507) throw new FileStorageFull({ cause: error });
      if ((status === 404 || status === 410) && Otherwise === FileUnreadable) throw new FileNotFound({ cause: error });
      throw new (mayPass(error) ? FileStorageUnavailable : Otherwise)({ cause: error });
    }
  }
}

function folderOf(key: string): string {
  return `${key.slice(0, 2)}/`;
}

function pathOf(key: string): string {
  if (!isKey(key)) throw new FileNotFound();
  return folderOf(key) + key;
}

/** The folder above is missing (RFC 4918, 9.3.1 and 9.7.1): somebody removed it, and the next try makes it again. */
function isConflict(error: unknown): boolean {
  return error instanceof WebdavRefusal && error.status === 409;
}

/** A sentence for whoever starts the program, which names the setting to look at. */
function explained(error: unknown): Error {
  if (isConnectionError(error))
    return new FileStorageUnavailable({
      detail: `WEBDAV_URL: the server cannot be reached (${reasonOf(error)})`,
      cause: error,
    });
  const reason = (error as Error).message;
  if (!(error instanceof WebdavRefusal)) return new Error(`WEBDAV_URL: ${reason}`, { cause: error });
  switch (error.status) {
    case 401:
    case 403:
      return new Error(`WEBDAV_USERNAME, WEBDAV_PASSWORD: not accepted; ${reason}`);
    case 409:
      return new Error(`WEBDAV_URL: the folder above does not exist; ${reason}`);
    default:
      return new Error(`WEBDAV_URL: ${reason}`);
  }
}
