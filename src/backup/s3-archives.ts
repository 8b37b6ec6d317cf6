import { GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Config } from '../config/config.js';
import { connectTo, withoutKeys } from '../common/s3-client.js';
import type { ArchivePlace, KeptArchive } from './archive-place.js';

/** One is held in memory at a time; a store takes 10,000 of them. */
const PART_BYTES = 64 * 1024 * 1024;

/**
 * Archives in a bucket. One is there as soon as its last part is, all at once; what a killed backup sent before stays unseen: give
 * the bucket a rule that ends incomplete uploads (AbortIncompleteMultipartUpload).
 */
export class S3Archives implements ArchivePlace {
  private readonly client: S3Client;

  constructor(
    store: Config['backup']['s3'],
    private readonly bucket: string,
    private readonly prefix: string,
  ) {
    this.client = connectTo(store);
  }

  async put(name: string, pieces: AsyncIterable<Buffer>): Promise<KeptArchive> {
    const object = { Bucket: this.bucket, Key: this.prefix + name };
    const hash = createHash('sha256');
    let bytes = 0;
    const counted = async function* (): AsyncGenerator<Buffer> {
      for await (const piece of pieces) {
        hash.update(piece);
        bytes += piece.length;
        yield piece;
      }
    };
    await withoutKeys(`s3://${this.bucket}`, async () => {
      await new Upload({
        client: this.client,
        params: { ...object, Body: Readable.from(counted(), { objectMode: false }), ChecksumAlgorithm: 'SHA256' },
        partSize: PART_BYTES,
        queueSize: 1,
        leavePartsOnError: false,
      }).done();
      const { ContentLength } = await this.client.send(new HeadObjectCommand(object));
      if (ContentLength !== bytes) throw new Error(`the store has ${String(ContentLength)} bytes in place of ${bytes}`);
    });
    return { at: `s3://${object.Bucket}/${object.Key}`, bytes, sha256: hash.digest('hex') };
  }

  async open(key: string): Promise<AsyncIterable<Buffer>> {
    return withoutKeys(`s3://${this.bucket}`, async () => {
      const { Body } = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
      return Body as Readable;
    });
  }
}
