// A small server that speaks S3, with one bucket in a folder.
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';

const BUCKET = 'forecourt';

/** @param {string} directory */
export async function startStore(directory) {
  mkdirSync(directory);
  // it comes without types
  const S3rver = createRequire(import.meta.url)('s3rver');
  const store = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: BUCKET }],
  });
  const { port } = /** @type {{ port: number }} */ (await store.run());
  return { port, close: /** @returns {Promise<void>} */ () => store.close() };
}

/** The settings with which Forecourt keeps its files there. @param {string} endpoint */
export function settingsOf(endpoint) {
  return {
    STORAGE_DRIVER: 's3',
    S3_ENDPOINT: endpoint,
    S3_BUCKET: BUCKET,
    S3_PATH_STYLE: 'true',
    S3_ACCESS_KEY_ID: 'S3RVER',
    S3_SECRET_ACCESS_KEY: 'S3RVER',
  };
}
