import { Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOGGER } from '../common/logging.js';
import { CONFIG, type Config } from '../config/config.js';
import { FileKeys } from './file-keys.js';
import { FileReader } from './file-reader.js';
import { FilesController } from './files.controller.js';
import { FilesRepository } from './files.repository.js';
import { FilesService } from './files.service.js';
import { Spool } from './spool.js';
import { FileStorage } from './storage/file-storage.js';
import { openStorage } from './storage/open-storage.js';

/**
 * Uploads and stored files. Owns the table `files` and the upload folder; promises that a row names only bytes that are
 * whole and durable, and that a refused upload leaves nothing. Leaves who may see a file to the module that refers to it.
 */
@Module({
  controllers: [FilesController],
  providers: [
    FilesRepository,
    FilesService,
    FileKeys,
    FileReader,
    Spool,
    {
      provide: FileStorage,
      useFactory: (config: Config, logger: Logger) => openStorage(config, logger),
      inject: [CONFIG, LOGGER],
    },
  ],
  exports: [FilesService, FileKeys, Spool],
})
export class FilesModule {}
