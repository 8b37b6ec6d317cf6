import { Module } from '@nestjs/common';
import { AlertsModule } from '../alerts/alerts.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { CONFIG, type Config } from '../config/config.js';
import { FileCheck } from './care/file-check.js';
import { FileMigration } from './care/file-migration.js';
import { FilePurge } from './care/file-purge.js';
import { FileRetention } from './care/file-retention.js';
import { FileRoom } from './care/file-room.js';
import { FileSweep } from './care/file-sweep.js';
import { KeyRotation } from './care/key-rotation.js';
import { FileCopiesService } from './file-copies.service.js';
import { FileKeys } from './file-keys.js';
import { FilePersons } from './file-persons.js';
import { FilePersonsRepository } from './file-persons.repository.js';
import { FileReader } from './file-reader.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { JobsService } from '../jobs/jobs.service.js';
import { SCHEDULED } from '../jobs/scheduled.jobs.js';
import { PersonsModule } from '../persons/persons.module.js';
import { PersonsService } from '../persons/persons.service.js';
import { RetentionService } from '../persons/retention.service.js';
import { FilesController } from './files.controller.js';
import { SCAN_FILE } from './files.jobs.js';
import { FilesMetrics } from './files.metrics.js';
import { FilesRepository } from './files.repository.js';
import { FilesService } from './files.service.js';
import { ClamAvScanner } from './scan/clamav.scanner.js';
import { FileScans } from './scan/file-scans.js';
import { Scanner } from './scan/scanner.js';
import { StoragesModule } from './storage/storages.module.js';
import { FileTexts } from './text/file-texts.js';
import { TextExtractor } from './text/text-extractor.js';

/** The whole of one scan, the reading of the file included. */
const SCAN_WITHIN_MS = 30_000;

/**
 * Uploads and stored files. Owns the tables `files` and `file_texts`, the upload folder and the file storages; promises that a
 * row names only bytes that are whole and durable, and that a refused upload leaves nothing. Leaves who may see a file to the
 * module that refers to it.
 */
@Module({
  imports: [AlertsModule, AuditModule, JobsModule, PersonsModule, StoragesModule],
  controllers: [FilesController],
  providers: [
    FilesRepository,
    FilePersons,
    FilePersonsRepository,
    FilesService,
    FilesMetrics,
    FileKeys,
    FileReader,
    FileScans,
    FileRoom,
    FileSweep,
    FileCheck,
    FilePurge,
    FileRetention,
    FileMigration,
    KeyRotation,
    FileTexts,
    { provide: TextExtractor, useFactory: () => new TextExtractor() },
    FileCopiesService,
    {
      provide: Scanner,
      useFactory: ({ files: { scan } }: Config) => new ClamAvScanner({ ...scan, timeoutMs: SCAN_WITHIN_MS }),
      inject: [CONFIG],
    },
  ],
  exports: [FilesService, FileCopiesService, FileKeys, FileRoom, StoragesModule],
})
export class FilesModule {
  constructor(
    jobs: JobsService,
    scans: FileScans,
    texts: FileTexts,
    sweep: FileSweep,
    check: FileCheck,
    purge: FilePurge,
    room: FileRoom,
    persons: PersonsService,
    ofPersons: FilePersons,
    retention: RetentionService,
    rule: FileRetention,
  ) {
    persons.register(ofPersons);
    retention.register(rule);
    jobs.handle(SCAN_FILE, ({ file_id }, cause) => scans.scan(cause, file_id));
    jobs.schedule(SCHEDULED.extractTexts, (stop) => texts.extractOwed(stop));
    jobs.schedule(SCHEDULED.sweepFiles, () => sweep.run().then(() => undefined));
    jobs.schedule(SCHEDULED.checkFiles, () => check.run());
    jobs.schedule(SCHEDULED.purgeFiles, () => purge.run().then(() => undefined));
    jobs.schedule(SCHEDULED.watchRoom, () => room.watch());
  }
}
