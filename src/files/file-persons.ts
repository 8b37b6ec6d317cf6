import { Injectable } from '@nestjs/common';
import { extname } from 'node:path';
import { Clock } from '../common/clock.js';
import type { Tx } from '../database/transactions.js';
import type { Erased, Person, PersonalData, PersonalFile, PersonalRecord } from '../persons/persons.service.js';
import { FilePurge } from './care/file-purge.js';
import type { StoredFile } from './file.entity.js';
import { FilePersonsRepository } from './file-persons.repository.js';
import { FileReader } from './file-reader.js';

/** What files know of a person: what belongs to their things. */
@Injectable()
export class FilePersons implements PersonalData {
  readonly name = 'files';

  constructor(
    private readonly files: FilePersonsRepository,
    private readonly reader: FileReader,
    private readonly purge: FilePurge,
    private readonly clock: Clock,
  ) {}

  async recordsOf({ things }: Person): Promise<PersonalRecord[]> {
    const files = await this.files.listOf(things);
    const texts = await this.files.textsOf(files.map(({ id }) => id));
    return files.map((file) => ({ kind: 'file', data: { ...recordOf(file), text: texts.get(file.id) ?? null } }));
  }

  /** Without those in which malware was found. */
  async filesOf({ things }: Person): Promise<PersonalFile[]> {
    const files = await this.files.listOf(things);
    return files
      .filter(({ deletedAt, scanState }) => deletedAt === null && scanState !== 'infected')
      .map((file) => ({
        name: nameOf(file),
        createdAt: file.createdAt,
        sizeBytes: file.sizeBytes,
        open: async () => (await this.reader.verify(file)).stream(),
      }));
  }

  /** The keys go with the transaction: from then on the bytes say nothing, and only they are left to remove. */
  async erase(tx: Tx, { things }: Person): Promise<Erased> {
    const ids = await this.files.shred(tx, things, this.clock.now());
    return { rows: ids.length, remains: ids };
  }

  async removeRemains(ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.purge.destroy(id);
  }
}

const nameOf = ({ id, storageKey }: StoredFile): string => `${id}${extname(storageKey)}`;

function recordOf(file: StoredFile): Readonly<Record<string, unknown>> {
  return {
    id: file.id,
    name_in_export: nameOf(file),
    original_name: file.originalName,
    media_type: file.mediaType,
    size_bytes: file.sizeBytes,
    sha256: file.sha256,
    created_at: file.createdAt,
    belongs_to: { kind: file.ownerKind, id: file.ownerId },
    findings: file.findings,
    scan_state: file.scanState,
    deleted_at: file.deletedAt,
  };
}
