import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { SPOOL_FOLDER } from '../files/storage/file-storage.js';
import { FileStorages } from '../files/storage/file-storages.js';
import { type Finding, failed, fine, wordsOf, warning } from './finding.js';
import { exists, nearestFolder } from './folders.js';

const MEGABYTE = 1_048_576;
/** The first start of an embedded PostgreSQL takes about as much. */
const LEAST_FREE_BYTES = 100 * MEGABYTE;
const LEAST_FREE_NAMES = 1_000;

/** Whether every storage that is configured takes, gives back and deletes a small file; the folder of a first start is not made. */
export async function checkStorages(config: Config, logger: Logger): Promise<readonly Finding[]> {
  const storages = new FileStorages(config, logger);
  return Promise.all(
    storages.configured.map(async (driver) => {
      const check = `storage ${driver}`;
      const isInUse = driver === config.files.storage.driver;
      try {
        if (driver === 'disk' && !(await exists(join(config.files.uploadDir, SPOOL_FOLDER)))) {
          await access(await nearestFolder(config.files.uploadDir), constants.W_OK | constants.X_OK);
          return fine(check, 'UPLOAD_DIR is not there yet; the first start makes it');
        }
        await (await storages.at(driver)).check();
        return fine(check, `takes, gives back and deletes files${isInUse ? '' : '; new ones go elsewhere'}`);
      } catch (error) {
        return failed(check, wordsOf(error), ADVICE[driver]);
      }
    }),
  );
}

const ADVICE = {
  disk: 'Make UPLOAD_DIR a folder that the user of Forecourt may write (user 1000 in the image), on a disk with room',
  s3: 'Correct S3_ENDPOINT, S3_REGION, S3_BUCKET and the access key; it must be allowed to put, get, delete and list objects',
  webdav: 'Correct WEBDAV_URL, WEBDAV_USERNAME and WEBDAV_PASSWORD; the folder must be there and may be written',
} as const;

/** Room on the disks that Forecourt writes to. */
export async function checkDisks(config: Config): Promise<readonly Finding[]> {
  const { minFreeBytes, maxFileBytes, uploadDir } = config.files;
  const devices = new Map<number, { readonly setting: string; readonly path: string; leastBytes: number }>();
  for (const [setting, folder, leastBytes] of [
    ['DATA_DIR', config.dataDir, LEAST_FREE_BYTES],
    ['UPLOAD_DIR', uploadDir, minFreeBytes + maxFileBytes],
  ] as const) {
    const path = await nearestFolder(folder);
    const { dev } = await stat(path);
    const known = devices.get(dev);
    if (known === undefined) devices.set(dev, { setting, path, leastBytes });
    else known.leastBytes = Math.max(known.leastBytes, leastBytes);
  }
  return Promise.all(
    [...devices.values()].map(async ({ setting, path, leastBytes }) => {
      const { bavail, bsize, files, ffree } = await statfs(path);
      const freeBytes = bavail * bsize;
      const says = `${Math.floor(freeBytes / MEGABYTE)} MB are free at ${setting}`;
      const needed = `${Math.ceil(leastBytes / MEGABYTE)} MB`;
      if (freeBytes < leastBytes)
        return failed('disk', `${says}, less than ${needed}: uploads are refused`, 'Free room, or take a larger disk');
      // some file systems do not count names
      if (files > 0 && ffree < LEAST_FREE_NAMES)
        return failed(
          'disk',
          `${ffree} more files fit at ${setting} (inodes)`,
          'Remove files, or make the file system anew',
        );
      if (freeBytes < 2 * leastBytes)
        return warning('disk', `${says}; from ${needed} down uploads are refused`, 'Free room before that happens');
      return fine('disk', says);
    }),
  );
}
