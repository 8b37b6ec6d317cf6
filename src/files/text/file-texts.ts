import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { AppError } from '../../common/errors.js';
import { Clock } from '../../common/clock.js';
import { LOGGER } from '../../common/logging.js';
import { CONFIG, type Config } from '../../config/config.js';
import { Transactions } from '../../database/transactions.js';
import type { StoredFile } from '../file.entity.js';
import { FileReader } from '../file-reader.js';
import { FileStorageUnavailable } from '../files.errors.js';
import { FilesRepository } from '../files.repository.js';
import { TextExtractor, type TextFailure, type TextKind, TextNotExtracted } from './text-extractor.js';

const FILES_AT_A_TIME = 20;
/** Of every minute in which there is something to read: requests come first. */
const READ_FOR_MS = 30_000;
const KINDS: Readonly<Record<string, TextKind>> = {
  'application/pdf': 'pdf',
  'application/msword': 'doc',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
};

/** The text of stored files, read in the background: a file that cannot be read is no error of what it belongs to. */
@Injectable()
export class FileTexts {
  private readonly logger: Logger;

  constructor(
    private readonly files: FilesRepository,
    private readonly reader: FileReader,
    private readonly extractor: TextExtractor,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'files' });
  }

  /**
   * The job: reads files of which nothing is known yet, oldest first, for half a minute at most. Running it twice at once reads
   * some twice; the first text stays. While the storage is away files wait for it.
   */
  async extractOwed(stop?: AbortSignal): Promise<void> {
    const until = this.clock.now().getTime() + READ_FOR_MS;
    for (;;) {
      const files = await this.files.findTextOwed(this.config.files.scan.policy === 'off', FILES_AT_A_TIME);
      for (const file of files) {
        if (stop?.aborted === true || this.clock.now().getTime() > until) return;
        const { text, state } = await this.extract(file);
        await this.transactions.run((tx) => this.files.saveText(tx, file.id, state, text));
      }
      if (files.length < FILES_AT_A_TIME) return;
    }
  }

  private async extract(file: StoredFile): Promise<{ text: string; state: 'read' | TextFailure }> {
    const kind = KINDS[file.mediaType];
    const bytes = kind === undefined ? undefined : await this.bytesOf(file);
    if (kind === undefined || bytes === undefined) return { text: '', state: 'unreadable' };
    try {
      return { text: await this.extractor.extract(kind, bytes), state: 'read' };
    } catch (error) {
      if (error instanceof TextNotExtracted) return { text: '', state: error.reason };
      throw error;
    }
  }

  /** Undefined when they are lost: trying again would only keep the files behind it waiting, and the check of files alerts. */
  private async bytesOf(file: StoredFile): Promise<Buffer | undefined> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of this.reader.content(file)) chunks.push(chunk);
      return Buffer.concat(chunks);
    } catch (error) {
      if (!(error instanceof AppError) || error instanceof FileStorageUnavailable) throw error;
      this.logger.warn(
        { file_id: file.id, err: error },
        'the text of a file cannot be read: its bytes are not to be had',
      );
      return undefined;
    }
  }
}
