import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { AlertsService } from '../../alerts/alerts.service.js';
import { LOGGER } from '../../common/logging.js';
import type { StoredFile } from '../file.entity.js';
import { FileReader } from '../file-reader.js';
import { FileIntegrityFailed, FileKeyMissing, FileNotFound } from '../files.errors.js';
import { FilesRepository } from '../files.repository.js';
import { FileStorages } from '../storage/file-storages.js';

const FILES_AT_A_TIME = 200;
/** Ids that an alert names; the command names all. */
const MOST_NAMED = 20;

export type FileDefect = 'bytes missing' | 'size differs' | 'content differs' | 'key missing';

export interface DefectiveFile {
  readonly id: string;
  readonly defect: FileDefect;
}

/** Compares rows with their bytes. Repairs nothing and deletes nothing: a backup may still have what is missing. */
@Injectable()
export class FileCheck {
  private readonly logger: Logger;

  constructor(
    private readonly files: FilesRepository,
    private readonly storages: FileStorages,
    private readonly reader: FileReader,
    private readonly alerts: AlertsService,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'files' });
  }

  /** The job: alerts operators to what is wrong. Running it twice tells once an hour, as alerts do. */
  async run(): Promise<void> {
    const defective: DefectiveFile[] = [];
    for await (const found of this.find({ readsContent: false })) defective.push(found);
    if (defective.length === 0) return;
    const ids = defective.slice(0, MOST_NAMED).map(({ id }) => id);
    this.logger.error({ count: defective.length, file_ids: ids }, 'files without their bytes');
    await this.alerts.raiseAlone({
      cause: 'file.bytes_missing',
      summary: `${defective.length} of the stored files have lost their bytes`,
      details: { file_ids: ids },
    });
  }

  /** Every file whose bytes are not what its row says; with `readsContent` each is read and its hash compared. */
  async *find({ readsContent }: { readonly readsContent: boolean }): AsyncGenerator<DefectiveFile> {
    for await (const file of this.files.eachKept(FILES_AT_A_TIME)) {
      const defect = readsContent ? await this.defectOfContent(file) : await this.defectOf(file);
      if (defect !== undefined && (await this.isStillThere(file))) yield { id: file.id, defect };
    }
  }

  private async defectOf(file: StoredFile): Promise<FileDefect | undefined> {
    const stored = await (await this.storages.at(file.storage)).stat(file.storageKey);
    if (stored === undefined) return 'bytes missing';
    return stored.sizeBytes === file.storedBytes ? undefined : 'size differs';
  }

  private async defectOfContent(file: StoredFile): Promise<FileDefect | undefined> {
    try {
      await this.reader.check(file);
      return undefined;
    } catch (error) {
      if (error instanceof FileNotFound) return 'bytes missing';
      if (error instanceof FileIntegrityFailed) return 'content differs';
      if (error instanceof FileKeyMissing) return 'key missing';
      throw error;
    }
  }

  /** It may have been moved or purged since its row was read. */
  private async isStillThere(file: StoredFile): Promise<boolean> {
    const now = await this.files.findById(file.id);
    return now?.purgedAt === null && now.storage === file.storage && (now.wrappedKey !== null) === file.isEncrypted;
  }
}
