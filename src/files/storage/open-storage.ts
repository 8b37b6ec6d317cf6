import type { Config } from '../../config/config.js';
import { DiskStorage } from './disk.storage.js';
import type { FileStorage } from './file-storage.js';

/** The storage that the settings name, after it took, gave back and deleted a file. Rejects otherwise: there is no other to fall back to. */
export async function openStorage(config: Config): Promise<FileStorage> {
  const storage = new DiskStorage(config.files.uploadDir);
  await storage.prepare();
  return storage;
}
