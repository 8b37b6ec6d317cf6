import { Injectable } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import { AuditService } from '../audit/audit.service.js';
import { type Actor, nameOf } from '../common/actor.js';
import { Clock } from '../common/clock.js';
import { together, Transactions, type Tx } from '../database/transactions.js';
import type { Download } from './download.js';
import { StoredFile } from './file.entity.js';
import { storageKeyFor } from './file-names.js';
import { FileRoom, type FileUsage } from './care/file-room.js';
import { FileReader, type VerifiedContent } from './file-reader.js';
import { FileInfected, FileIntegrityFailed, FileNotFound } from './files.errors.js';
import { FilesMetrics } from './files.metrics.js';
import { FilesRepository } from './files.repository.js';
import { FileScans } from './scan/file-scans.js';
import { FileStorages } from './storage/file-storages.js';
import type { ReceivedFile } from './upload.js';

export type { FileUsage, ReceivedFile, StoredFile, VerifiedContent };

/** What a file belongs to; the module of that kind says who may see it. */
export interface FileOwner {
  readonly kind: string;
  readonly id: string;
}

/** The audit action of taking a file out of quarantine. */
export const QUARANTINE_DOWNLOADED = 'file.quarantine_downloaded';
/** The owner kind of files that belong to nobody because they were refused. */
const QUARANTINE = 'quarantine';

@Injectable()
export class FilesService {
  constructor(
    private readonly files: FilesRepository,
    private readonly storages: FileStorages,
    private readonly reader: FileReader,
    private readonly scans: FileScans,
    private readonly room: FileRoom,
    private readonly metrics: FilesMetrics,
    private readonly alerts: AlertsService,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes the bytes of an upload durable. Call it before the transaction that names them; then {@link record} them in it.
   * Throws `FileInfected` (the file is then in quarantine), `FileScannerUnavailable`, and what the storage throws.
   */
  async keep(actor: Actor, received: ReceivedFile, owner: FileOwner): Promise<StoredFile> {
    const file = Object.assign(new StoredFile(), {
      id: received.id,
      storageKey: storageKeyFor(received.originalName, received.type.extension),
      originalName: received.originalName,
      mediaType: received.type.mediaType,
      sizeBytes: received.sizeBytes,
      sha256: received.sha256,
      createdAt: this.clock.now(),
      ownerKind: owner.kind,
      ownerId: owner.id,
      storage: this.storages.current.driver,
      keyId: received.keyId,
      wrappedKey: received.wrappedKey,
      seal: received.incoming.seal,
      findings: [...received.findings],
      scanState: 'unscanned',
      textState: 'owed',
      uploadedBy: nameOf(actor),
      uploadedById: actor.kind === 'user' ? actor.id : null,
    });
    try {
      await this.scans.begin(file, received.incoming.stream());
      await this.storages.current.put(file.storageKey, await received.incoming.force());
    } catch (error) {
      this.metrics.countUnstored('failed');
      throw error;
    }
    this.room.note(file.sizeBytes);
    if (file.scanState === 'infected') await this.quarantine(actor, file);
    this.metrics.countStored(file.sizeBytes);
    return file;
  }

  async record(tx: Tx, file: StoredFile): Promise<void> {
    await together(this.files.insert(tx, file), this.scans.record(tx, file));
  }

  /** Removes bytes that no row names. Call it only when the transaction that would have named them surely failed. */
  async removeUnrecorded(file: StoredFile): Promise<void> {
    await this.storages.current.remove(file.storageKey);
  }

  /** The files that belong to something, oldest first. */
  async listOf(owner: FileOwner): Promise<StoredFile[]> {
    return this.files.listOf(owner.kind, owner.id);
  }

  /**
   * Deletes what belongs to something: nobody is served it any more, and it is destroyed after FILE_RETENTION_DAYS. Returns how
   * many files there were.
   */
  async remove(tx: Tx, owner: FileOwner): Promise<number> {
    return (await this.files.markDeleted(tx, owner.kind, owner.id, this.clock.now())).length;
  }

  async get(id: string): Promise<StoredFile> {
    return found(await this.files.findById(id));
  }

  /**
   * A stored file, its content found to be what was uploaded. Throws `FileNotFound` when the row or the bytes are missing,
   * `FileIntegrityFailed` when they do not agree, `FileNotReady` before it was found free of malware where that is asked for,
   * and what the storage throws.
   */
  async open(storageKey: string): Promise<{ readonly file: StoredFile; readonly content: VerifiedContent }> {
    const file = found(await this.files.findByStorageKey(storageKey));
    if (file.deletedAt !== null) throw new FileNotFound();
    this.scans.throwUnlessServed(file);
    return { file, content: await this.verify(file) };
  }

  /**
   * A file in which malware was found, for somebody who wants it nevertheless; on record before a byte of it leaves. Throws
   * `FileNotFound` for any other file, and otherwise as {@link open} does.
   */
  async openQuarantined(actor: Actor, id: string): Promise<Download> {
    const file = await this.get(id);
    if (file.scanState !== 'infected' || file.deletedAt !== null) throw new FileNotFound();
    const content = await this.verify(file);
    const details = { signature: file.scanSignature };
    await this.audit.recordAlone(actor, { action: QUARANTINE_DOWNLOADED, targetKind: 'file', targetId: id, details });
    return { file, content, name: `${id}.quarantined` };
  }

  private async verify(file: StoredFile): Promise<VerifiedContent> {
    try {
      return await this.reader.verify(file);
    } catch (error) {
      if (error instanceof FileIntegrityFailed)
        await this.alerts.raiseAlone({
          cause: 'file.integrity_failed',
          summary: 'A stored file is not what was uploaded any more',
          details: { file_id: file.id, storage: file.storage },
        });
      throw error;
    }
  }

  /** A file that was refused is kept apart, so that an admin can say what it was. */
  private async quarantine(actor: Actor, file: StoredFile): Promise<never> {
    file.ownerKind = QUARANTINE;
    file.ownerId = null;
    this.metrics.countUnstored('quarantined');
    await this.transactions.run(actor, (tx) => this.record(tx, file));
    throw new FileInfected();
  }

  /** Counts every file: ask seldom. */
  async usage(): Promise<FileUsage> {
    return this.room.usage();
  }

  /** On the disk of the upload folder, for whoever runs Forecourt. */
  async freeBytes(): Promise<number> {
    return this.room.freeBytes();
  }

  /** Resolves when files can be stored; throws otherwise. */
  async check(): Promise<void> {
    await this.storages.current.check();
  }
}

function found(file: StoredFile | null): StoredFile {
  if (file === null) throw new FileNotFound();
  return file;
}
