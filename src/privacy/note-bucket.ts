import {
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { connectTo, withoutKeys } from '../common/s3-client.js';
import type { Config } from '../config/config.js';
import type { NotePlace } from './note-place.js';

/** A folder in a bucket of S3, or of a store that speaks it. One with object lock keeps notes from whoever has the keys. */
export class NoteBucket implements NotePlace {
  readonly name: string;
  private readonly client: S3Client;

  /** `prefix` is empty or ends in a slash. */
  constructor(
    store: Config['backup']['s3'],
    private readonly bucket: string,
    private readonly prefix: string,
  ) {
    this.name = `s3://${bucket}/${prefix}`;
    this.client = connectTo(store);
  }

  async put(name: string, text: string): Promise<void> {
    const object = { Bucket: this.bucket, Key: this.prefix + name, Body: text, ContentType: 'application/json' };
    // a bucket with object lock takes nothing without a checksum
    const command = new PutObjectCommand({ ...object, ChecksumAlgorithm: 'SHA256' });
    await withoutKeys(this.name, () => this.client.send(command));
  }

  async names(): Promise<string[]> {
    const names: string[] = [];
    const query = { Bucket: this.bucket, Prefix: this.prefix, Delimiter: '/' };
    let page: ListObjectsV2CommandOutput | undefined;
    do {
      const ContinuationToken = page?.NextContinuationToken;
      page = await withoutKeys(this.name, () =>
        this.client.send(new ListObjectsV2Command({ ...query, ContinuationToken })),
      );
      names.push(...(page.Contents ?? []).map(({ Key = '' }) => Key.slice(this.prefix.length)));
    } while (page.NextContinuationToken !== undefined);
    return names;
  }

  async get(name: string): Promise<string> {
    return withoutKeys(this.name, async () => {
      const { Body } = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: this.prefix + name }));
      if (Body === undefined) throw new Error(`${name} is empty`);
      return Body.transformToString('utf8');
    });
  }
}
