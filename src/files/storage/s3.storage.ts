import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
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
import type { S3Settings } from '../../config/storage-config.js';
import { type ByteRange, FileStorage, type SpooledFile, type StoredObject } from './file-storage.js';
import { isConnectionError, isPassingStatus, reasonOf, withRetries } from './retries.js';
import { connectTo } from '../../common/s3-client.js';
import { bytesOf, isKey, isSameAs, rangeOf, SpooledFileChanged, throwIfChanged } from './spooled-bytes.js';

/** Larger files go in parts, of which one is held in memory at a time; smaller ones are streamed. */
const PART_BYTES = 16 * 1024 * 1024;

/** The client's own log would repeat requests; what an operator needs to know, this driver says. */
const SILENT = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/**
 * Files in a bucket of S3 or of a store that speaks it. The store is told each file's SHA-256 beforehand and refuses other
 * bytes; a store that does not is found out by reading back. An upload in parts that a crash interrupts stays in the bucket,
 * unseen: give the bucket a rule that ends incomplete uploads (AbortIncompleteMultipartUpload).
 */
export class S3Storage extends FileStorage {
  readonly driver = 's3';
  private readonly client: S3Client;
  private readonly bucket: string;
  private readonly prefix: string;
  private readonly place: string;

  constructor(
    settings: S3Settings,
    private readonly log: Logger,
  ) {
    super();
    this.bucket = settings.bucket;
    this.prefix = settings.prefix;
    this.place = settings.endpoint === undefined ? 'S3_REGION' : 'S3_ENDPOINT';
    // this driver repeats requests itself: the client's own way stops at those with a stream, and says nothing of the others
    const retryStrategy = { retry: <In, Out>(next: (args: In) => Promise<Out>, args: In): Promise<Out> => next(args) };
    this.client = connectTo(settings, { retryStrategy, logger: SILENT });
  }

  async put(key: string, file: SpooledFile): Promise<void> {
    const object = this.objectOf(key);
    await this.orRefuse(FileNotStored, 'storing a file in S3', async () => {
      await throwIfChanged(file);
      await (file.sizeBytes > PART_BYTES ? this.sendInParts(object, file) : this.send(object, file));
      if (await this.isThere(object, file)) return;
      await this.client.send(new DeleteObjectCommand(object));
      throw new Error('the store does not give back what it took');
    });
  }

  async open(key: string, range?: ByteRange): Promise<Readable> {
    const object = this.objectOf(key);
    return this.orRefuse(FileUnreadable, 'opening a file in S3', () => this.get(object, range));
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    const object = this.objectOf(key);
    try {
      const { ContentLength: sizeBytes = 0, LastModified: modifiedAt = new Date(0) } = await this.orRefuse(
        FileUnreadable,
        'asking for a file in S3',
        () => this.client.send(new HeadObjectCommand(object)),
      );
      return { key, sizeBytes, modifiedAt };
    } catch (error) {
      if (error instanceof FileNotFound) return undefined;
      throw error;
    }
  }

  async remove(key: string): Promise<void> {
    const object = this.objectOf(key);
    try {
      await this.orRefuse(FileNotStored, 'removing a file in S3', () =>
        this.client.send(new DeleteObjectCommand(object)),
      );
    } catch (error) {
      if (!(error instanceof FileNotFound)) throw error;
    }
  }

  async *list(): AsyncIterable<StoredObject> {
    const query = { Bucket: this.bucket, Prefix: this.prefix, Delimiter: '/' };
    let page: ListObjectsV2CommandOutput | undefined;
    do {
      const ContinuationToken = page?.NextContinuationToken;
      page = await this.orRefuse(FileUnreadable, 'listing files in S3', () =>
        this.client.send(new ListObjectsV2Command({ ...query, ContinuationToken })),
      );
      for (const { Key = '', Size: sizeBytes = 0, LastModified: modifiedAt = new Date(0) } of page.Contents ?? []) {
        const key = Key.slice(this.prefix.length);
        if (isKey(key)) yield { key, sizeBytes, modifiedAt };
      }
    } while (page.NextContinuationToken !== undefined);
  }

  async prepare(): Promise<void> {
    try {
      await this.client.send(new HeadBucketCommand({ Bucket: this.bucket }));
    } catch (error) {
      throw this.explained(error, `S3_BUCKET: there is no bucket "${this.bucket}"`);
    }
    try {
      await this.probe();
    } catch (error) {
      throw this.explained(error, `S3_BUCKET: the bucket "${this.bucket}" is gone`);
    }
  }

  async check(): Promise<void> {
    await this.orRefuse(FileNotStored, 'trying a file in S3', () => this.probe());
  }

  /** Its name begins with a dot, which hides it from {@link list}. */
  private async probe(): Promise<void> {
    const object = { Bucket: this.bucket, Key: `${this.prefix}.probe-${randomUUID()}` };
    await this.client.send(new PutObjectCommand({ ...object, Body: 'probe' }));
    try {
      const { Body } = await this.client.send(new GetObjectCommand(object));
      if ((await Body?.transformToString()) !== 'probe') throw new Error('the store does not give back what it took');
    } finally {
      await this.client.send(new DeleteObjectCommand(object));
    }
  }

  private async send(object: ObjectName, file: SpooledFile): Promise<void> {
    const body = Readable.from(bytesOf(file), { objectMode: false });
    const cancelled = new AbortController();
    let failure: Error | undefined;
    // the client does not notice when the stream that it sends breaks off
    body.on('error', (error) => {
      failure = error;
      cancelled.abort();
    });
    const command = new PutObjectCommand({
      ...object,
      Body: body,
      ContentLength: file.sizeBytes,
      ChecksumSHA256: Buffer.from(file.sha256, 'hex').toString('base64'),
      Metadata: { sha256: file.sha256 },
    });
    // signs the content too, which the client does only for what it has in memory
    command.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = file.sha256;
        return next(args);
      },
      { step: 'build', name: 'signContent' },
    );
    try {
      await this.client.send(command, { abortSignal: cancelled.signal });
    } catch (error) {
      throw failure ?? error;
    } finally {
      body.destroy();
    }
  }

  /** Ends the upload and removes its parts when it fails. */
  private async sendInParts(object: ObjectName, file: SpooledFile): Promise<void> {
    await new Upload({
      client: this.client,
      params: {
        ...object,
        Body: Readable.from(bytesOf(file), { objectMode: false }),
        ChecksumAlgorithm: 'SHA256',
        Metadata: { sha256: file.sha256 },
      },
      partSize: PART_BYTES,
      queueSize: 1,
    }).done();
  }

  /** Whether the store has this file, whole: by the hash that it made itself, or by reading it all where it makes none. */
  private async isThere(object: ObjectName, file: SpooledFile): Promise<boolean> {
    const head = await this.client.send(new HeadObjectCommand({ ...object, ChecksumMode: 'ENABLED' }));
    if (head.ContentLength !== file.sizeBytes || head.Metadata?.['sha256'] !== file.sha256) return false;
    // of an upload in parts there is only a hash of hashes
    if (head.ChecksumSHA256 !== undefined && !head.ChecksumSHA256.includes('-'))
      return head.ChecksumSHA256 === Buffer.from(file.sha256, 'hex').toString('base64');
    return isSameAs(file, await this.get(object));
  }

  private async get(object: ObjectName, range?: ByteRange): Promise<Readable> {
    if (range === undefined) return (await this.client.send(new GetObjectCommand(object))).Body as Readable;
    const Range = `bytes=${range.start}-${range.end}`;
    const found = await this.client.send(new GetObjectCommand({ ...object, Range }));
    return rangeOf(found.Body as Readable, found.ContentRange, range);
  }

  private objectOf(key: string): ObjectName {
    if (!isKey(key)) throw new FileNotFound();
    return { Bucket: this.bucket, Key: this.prefix + key };
  }

  /** Tries again what may pass, and gives what does not its refusal. */
  private async orRefuse<T>(Otherwise: Refusal, what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await withRetries(what, this.log, mayPass, work);
    } catch (error) {
      if (error instanceof AppError) throw error;
      const cause = withoutSecrets(error);
      const { name } = error as Error;
      if (name === 'NoSuchKey' || name === 'NotFound') throw new FileNotFound({ cause });
      if (statusOf(error) === 507 || FULL.includes(name)) throw new FileStorageFull({ cause });
      throw new (mayPass(error) ? FileStorageUnavailable : Otherwise)({ cause });
    }
  }

  /** A sentence for whoever starts the program, which names the setting to look at. */
  private explained(error: unknown, missing: string): Error {
    const status = statusOf(error);
    const answered = `the store answered ${reasonOf(error)}${status === undefined ? '' : ` (${status})`}`;
    if (isConnectionError(error))
      return new FileStorageUnavailable({
        detail: `${this.place}: the store cannot be reached (${reasonOf(error)})`,
        cause: withoutSecrets(error),
      });
    if (status === 404) return new Error(missing);
    if (status === 301 || status === 400) return new Error(`S3_REGION, S3_BUCKET: ${answered}`);
    if (status === 401 || status === 403)
      return new Error(
        `S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY: not accepted for the bucket "${this.bucket}"; ${answered}`,
      );
    return new Error(`${this.place}: ${answered}`);
  }
}

interface ObjectName {
  readonly Bucket: string;
  readonly Key: string;
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

function mayPass(error: unknown): boolean {
  const status = statusOf(error);
  if (status === undefined) return isConnectionError(error);
  // S3 answers 400 when it waited too long for the next bytes
  return isPassingStatus(status) || (error as Error).name === 'RequestTimeout';
}

/** MinIO and Ceph have quotas and full disks; Amazon has neither. */
const FULL = ['QuotaExceeded', 'XMinioStorageFull', 'XMinioAdminBucketQuotaExceeded'];

/** The errors of the client carry what was signed, and with it the key. */
function withoutSecrets(error: unknown): Error {
  const status = statusOf(error);
  if (status !== undefined) return new Error(`the store answered ${reasonOf(error)} (${status})`);
  return isConnectionError(error) || error instanceof SpooledFileChanged
    ? (error as Error)
    : new Error(`the S3 client failed: ${reasonOf(error)}`);
}
