import { settingsOf, startStore } from '../../tools/object-store.mjs';
import { atEnd } from './clean-up.js';
import { makeFolder } from './program.js';

export interface S3Server {
  readonly url: string;
  /** Where the buckets are. */
  readonly folder: string;
  /** How Forecourt reaches it, without the bucket. */
  readonly settings: Record<string, string>;
}

/** A small server that speaks S3, with one empty bucket, until the end of the file. */
export async function startS3(bucket: string): Promise<S3Server> {
  const folder = await makeFolder('the whole file');
  const { port, close } = await startStore(folder, bucket);
  atEnd(close, 'the whole file');
  const url = `http://127.0.0.1:${port}`;
  return { url, folder, settings: settingsOf(url) };
}
