import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../src/config/project-root.js';
import { atEnd } from './clean-up.js';
import { makeFolder } from './program.js';

interface S3rver {
  run(): Promise<{ readonly port: number }>;
  close(): Promise<void>;
}
type S3rverClass = new (options: Readonly<Record<string, unknown>>) => S3rver;

/** The one account that s3rver has. */
export const S3_ACCOUNT = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

/** A small server that speaks S3, with one empty bucket, until the end of the file. It comes without types. */
export async function startS3(bucket: string): Promise<{ readonly url: string; readonly folder: string }> {
  const Server = createRequire(join(PROJECT_ROOT, 'package.json'))('s3rver') as S3rverClass;
  const folder = await makeFolder('the whole file');
  const server = new Server({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: folder,
    configureBuckets: [{ name: bucket }],
  });
  const { port } = await server.run();
  atEnd(() => server.close(), 'the whole file');
  return { url: `http://127.0.0.1:${port}`, folder };
}
