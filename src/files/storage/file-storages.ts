import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOGGER } from '../../common/logging.js';
import { NO_TRACING, Tracing } from '../../common/tracing.js';
import { CONFIG, type Config } from '../../config/config.js';
import { FileStorageUnavailable } from '../files.errors.js';
import { DiskStorage } from './disk.storage.js';
import type { FileStorage, StorageDriver } from './file-storage.js';
import { TracedStorage } from './traced.storage.js';

const DRIVERS: readonly StorageDriver[] = ['disk', 's3', 'webdav'];

/**
 * The places that files lie in: the one that STORAGE_DRIVER names takes new files; each of the others is at hand as well as long
 * as its settings are there, for files of an earlier time.
 */
@Injectable()
export class FileStorages implements OnModuleInit {
  private readonly opened = new Map<StorageDriver, Promise<FileStorage>>();
  private taking: FileStorage | undefined;
  private readonly logger: Logger;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
    @Inject(Tracing) private readonly tracing: Tracing = NO_TRACING,
  ) {
    this.logger = logger.child({ logger: 'files' });
  }

  /**
   * Opens the storage for new files, after it took, gave back and deleted one. Rejects otherwise, naming the setting: there is
   * no other to fall back to.
   */
  async onModuleInit(): Promise<void> {
    this.taking = await this.at(this.config.files.storage.driver);
    await this.taking.prepare();
  }

  /** Takes new files. */
  get current(): FileStorage {
    if (this.taking === undefined) throw new Error('the file storage is not open yet');
    return this.taking;
  }

  /** Those whose settings are there. */
  get configured(): readonly StorageDriver[] {
    const { s3, webdav } = this.config.files.storage;
    return DRIVERS.filter((driver) => driver === 'disk' || (driver === 's3' ? s3 : webdav) !== undefined);
  }

  /** Throws `FileStorageUnavailable` when its settings are not there. */
  async at(driver: StorageDriver): Promise<FileStorage> {
    const known = this.opened.get(driver) ?? this.openTraced(driver);
    this.opened.set(driver, known);
    return known;
  }

  private async openTraced(driver: StorageDriver): Promise<FileStorage> {
    const storage = await this.open(driver);
    return this.tracing.isOn ? new TracedStorage(storage, this.tracing) : storage;
  }

  /** The clients of remote stores are loaded only where they are used: they are larger than all the rest. */
  private async open(driver: StorageDriver): Promise<FileStorage> {
    const { uploadDir, storage } = this.config.files;
    if (driver === 'disk') return new DiskStorage(uploadDir);
    if (driver === 's3' && storage.s3 !== undefined)
      return new (await import('./s3.storage.js')).S3Storage(storage.s3, this.logger);
    if (driver === 'webdav' && storage.webdav !== undefined)
      return new (await import('./webdav.storage.js')).WebdavStorage(storage.webdav, this.logger);
    throw new FileStorageUnavailable({ cause: new Error(`the settings of the ${driver} storage are not there`) });
  }
}
