import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A file that was accepted and is kept. Its bytes are in the file storage under `storageKey`. */
@Entity('files')
export class StoredFile {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_files' })
  id!: string;

  @Column('varchar', { name: 'storage_key', length: 500, unique: true })
  storageKey!: string;

  /** As the sender named it, in Unicode and without control characters; only ever shown. */
  @Column('varchar', { name: 'original_name', length: 255 })
  originalName!: string;

  @Column('varchar', { name: 'media_type', length: 100 })
  mediaType!: string;

  @Column('integer', { name: 'size_bytes' })
  sizeBytes!: number;

  /** In lower-case hexadecimal. */
  @Column('char', { length: 64 })
  sha256!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
