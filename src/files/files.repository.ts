import { Injectable } from '@nestjs/common';
import { BaseRepository } from '../database/base.repository.js';
import { Database } from '../database/database.js';
import { StoredFile } from './file.entity.js';

@Injectable()
export class FilesRepository extends BaseRepository<StoredFile> {
  constructor(database: Database) {
    super(database, StoredFile);
  }

  async findByStorageKey(storageKey: string): Promise<StoredFile | null> {
    const [row] = await this.database.read<object>(
      `SELECT ${this.mapping.selection} FROM files AS t WHERE t.storage_key = $1`,
      [storageKey],
    );
    return row === undefined ? null : this.toEntity(row);
  }
}
