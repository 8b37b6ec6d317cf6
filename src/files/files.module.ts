import { Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { AuditModule } from '../audit/audit.module.js';
import { LOGGER } from '../common/logging.js';
import { CONFIG, type Config } from '../config/config.js';
import { FileKeys } from './file-keys.js';
import { FileReader } from './file-reader.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { JobsService } from '../jobs/jobs.service.js';
import { FilesController } from './files.controller.js';
import { SCAN_FILE } from './files.jobs.js';
import { FilesRepository } from './files.repository.js';
import { FilesService } from './files.service.js';
import { ClamAvScanner } from './scan/clamav.scanner.js';
import { FileScans } from './scan/file-scans.js';
import { Scanner } from './scan/scanner.js';
import { Spool } from './spool.js';
import { FileStorage } from './storage/file-storage.js';
import { openStorage } from './storage/open-storage.js';

/** The whole of one scan, the reading of the file included. */
const SCAN_WITHIN_MS = 30_000;

/**
 * Uploads and stored files. Owns the table `files` and the upload folder; promises that a row names only bytes that are
 * whole and durable, and that a refused upload leaves nothing. Leaves who may see a file to the module that refers to it.
 */
@Module({
  imports: [AuditModule, JobsModule],
  controllers: [FilesController],
  providers: [
    FilesRepository,
    FilesService,
    FileKeys,
    FileReader,
    FileScans,
    Spool,
    {
      provide: Scanner,
      useFactory: ({ files: { scan } }: Config) => new ClamAvScanner({ ...scan, timeoutMs: SCAN_WITHIN_MS }),
      inject: [CONFIG],
    },
    {
      provide: FileStorage,
      useFactory: (config: Config, logger: Logger) => openStorage(config, logger),
      inject: [CONFIG, LOGGER],
    },
  ],
  exports: [FilesService, FileKeys, Spool],
})
export class FilesModule {
  constructor(jobs: JobsService, scans: FileScans) {
    jobs.handle(SCAN_FILE, ({ file_id }) => scans.scan(file_id));
  }
}
