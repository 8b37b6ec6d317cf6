import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Logger } from 'pino';
import { AlertsService } from '../../alerts/alerts.service.js';
import { LOGGER } from '../../common/logging.js';
import { Transactions } from '../../database/transactions.js';
import { FileKeys } from '../file-keys.js';
import { FileKeyMissing } from '../files.errors.js';
import { FilesRepository } from '../files.repository.js';

const FILES_AT_A_TIME = 200;

export interface Rotation {
  rewrapped: number;
  /** Files whose key cannot be opened with the keys at hand. */
  readonly failed: string[];
}

/** Wraps the data keys of files with the current key-encryption key. The files themselves are not touched. */
@Injectable()
export class KeyRotation implements OnApplicationBootstrap {
  private readonly logger: Logger;

  constructor(
    private readonly files: FilesRepository,
    private readonly keys: FileKeys,
    private readonly transactions: Transactions,
    private readonly alerts: AlertsService,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'files' });
  }

  /** Says at the start which files nobody can open, instead of when somebody wants one. */
  async onApplicationBootstrap(): Promise<void> {
    const used = await this.count();
    const missing = this.keys.missingOf(used.map(({ keyId }) => keyId));
    if (missing.length === 0) return;
    const files = used.filter(({ keyId }) => missing.includes(keyId)).reduce((sum, each) => sum + each.files, 0);
    this.logger.error({ key_ids: missing, files }, 'FILE_ENCRYPTION_KEYS lacks keys of stored files');
    await this.alerts.raiseAlone({
      cause: 'file.keys_missing',
      summary: `${files} stored files cannot be opened: FILE_ENCRYPTION_KEYS lacks their keys`,
      details: { key_ids: missing },
    });
  }

  /** How many files have their keys under which key-encryption key. */
  async count(): Promise<{ readonly keyId: string; readonly files: number }[]> {
    return this.files.countByKey();
  }

  /** The id of the key that wraps new ones. */
  get currentId(): string {
    return this.keys.currentId;
  }

  /**
   * Can be cut off and run again at any time. Each row changes only if it still has the key that was opened, so that a purge
   * in between keeps the key destroyed.
   */
  async run(report: (rotation: Rotation) => void): Promise<Rotation> {
    const rotation: Rotation = { rewrapped: 0, failed: [] };
    for await (const file of this.files.eachUnderOtherKey(FILES_AT_A_TIME, this.keys.currentId)) {
      try {
        const wrapped = this.keys.rewrap(file.id, file);
        const isChanged = await this.transactions.run((tx) => this.files.changeKey(tx, file, wrapped));
        if (isChanged) rotation.rewrapped += 1;
      } catch (error) {
        if (!(error instanceof FileKeyMissing)) throw error;
        rotation.failed.push(file.id);
      }
      report(rotation);
    }
    return rotation;
  }
}
