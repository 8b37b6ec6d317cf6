import type { Logger } from 'pino';
import type { Config } from '../../config/config.js';
import { DiskStorage } from './disk.storage.js';
import type { FileStorage } from './file-storage.js';

/**
 * The storage that the settings name, after it took, gave back and deleted a file. Rejects otherwise, naming the setting: there
 * is no other to fall back to.
 */
export async function openStorage({ files }: Config, logger: Logger): Promise<FileStorage> {
  const storage = await storageOf(files, logger.child({ logger: 'files' }));
  await storage.prepare();
  return storage;
}

/** The clients of remote stores are loaded only where they are used: they are larger than all the rest. */
async function storageOf({ storage, uploadDir }: Config['files'], logger: Logger): Promise<FileStorage> {
  switch (storage.driver) {
    case 'disk':
      return new DiskStorage(uploadDir);
    case 's3':
      return new (await import('./s3.storage.js')).S3Storage(storage, logger);
    case 'webdav':
      return new (await import('./webdav.storage.js')).WebdavStorage(storage, logger);
  }
}
