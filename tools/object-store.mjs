// A small server that speaks S3, with one bucket in a folder.
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';

/** The only one that it has. */
export const ACCOUNT = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

/**
 * A server with one bucket under a folder, which is made.
 * @param {string} folder
 * @param {string} bucket
 */
export async function startStore(folder, bucket) {
  mkdirSync(folder, { recursive: true });
  // it comes without types
  const S3rver = createRequire(import.meta.url)('s3rver');
  const store = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: folder,
    configureBuckets: [{ name: bucket }],
  });
  const { port } = /** @type {{ port: number }} */ (await store.run());
  return { port, close: /** @returns {Promise<void>} */ () => store.close() };
}

/** The settings with which Forecourt reaches it, without the bucket. @param {string} endpoint */
export function settingsOf(endpoint) {
  return {
    S3_ENDPOINT: endpoint,
    S3_PATH_STYLE: 'true',
    S3_ACCESS_KEY_ID: ACCOUNT.accessKeyId,
    S3_SECRET_ACCESS_KEY: ACCOUNT.secretAccessKey,
  };
}
