import { Column, Entity, PrimaryColumn } from 'typeorm';
import { sealedSize } from './encryption.js';
import type { StorageDriver } from './storage/file-storage.js';

/** `unscanned`: nobody asked for a scan. `pending`: one is owed. */
export type ScanState = 'unscanned' | 'pending' | 'clean' | 'infected';

/** `owed`: nobody has read it yet; the last four say why there is no text. */
export type TextState = 'owed' | 'read' | 'unreadable' | 'encrypted' | 'timeout' | 'memory';

/** A file that was accepted and is kept. Its bytes are in the file storage under `storageKey`. */
@Entity('files')
export class StoredFile {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_files' })
  id!: string;

  /** Its stored name. */
  @Column('varchar', { name: 'storage_key', length: 500, unique: true })
  storageKey!: string;

  /** As the sender named it, in Unicode and without control characters; only ever shown. */
  @Column('varchar', { name: 'original_name', length: 255 })
  originalName!: string;

  @Column('varchar', { name: 'media_type', length: 100 })
  mediaType!: string;

  /** Of the content, encrypted or not. */
  @Column('integer', { name: 'size_bytes' })
  sizeBytes!: number;

  /** Of the content, in lower-case hexadecimal. */
  @Column('char', { length: 64 })
  sha256!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  /** What the file belongs to, such as `lead`; that module says who may see it. */
  @Column('varchar', { name: 'owner_kind', length: 30, default: 'lead' })
  ownerKind!: string;

  @Column('uuid', { name: 'owner_id', nullable: true })
  ownerId!: string | null;

  @Column('varchar', { length: 10, default: 'disk' })
  storage!: StorageDriver;

  /** The key-encryption key that wraps the data key; null when the bytes are stored as they came. */
  @Column('varchar', { name: 'key_id', length: 50, nullable: true })
  keyId!: string | null;

  /** Gone when the file is purged: then the bytes, wherever a copy is left, say nothing any more. */
  @Column('bytea', { name: 'wrapped_key', nullable: true })
  wrappedKey!: Buffer | null;

  /** Of the ciphertext (see `Seal`); null when there is none, and for files that were encrypted before there were seals. */
  @Column('bytea', { nullable: true })
  seal!: Buffer | null;

  /** What an attorney should know before opening it, such as `encrypted`. */
  @Column('text', { array: true, default: [] })
  findings!: string[];

  @Column('varchar', { name: 'scan_state', length: 20, default: 'unscanned' })
  scanState!: ScanState;

  /** The scanner's name for what it found. */
  @Column('varchar', { name: 'scan_signature', length: 200, nullable: true })
  scanSignature!: string | null;

  @Column('varchar', { name: 'scan_engine', length: 200, nullable: true })
  scanEngine!: string | null;

  @Column('timestamptz', { name: 'scanned_at', nullable: true })
  scannedAt!: Date | null;

  /** The user's name at that time, or `public`. */
  @Column('varchar', { name: 'uploaded_by', length: 60, default: 'public' })
  uploadedBy!: string;

  @Column('uuid', { name: 'uploaded_by_id', nullable: true })
  uploadedById!: string | null;

  @Column('varchar', { name: 'text_state', length: 20, default: 'owed' })
  textState!: TextState;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt!: Date | null;

  /** When its key was destroyed and its bytes were removed. */
  @Column('timestamptz', { name: 'purged_at', nullable: true })
  purgedAt!: Date | null;

  /** Whether the stored bytes are ciphertext. */
  get isEncrypted(): boolean {
    return this.keyId !== null;
  }

  /** How many bytes its storage holds of it. */
  get storedBytes(): number {
    return this.isEncrypted ? sealedSize(this.sizeBytes) : this.sizeBytes;
  }
}
