import type { Readable } from 'node:stream';

/** A file that waits on the local disk, whole and forced to it, for a storage to take it. */
export interface SpooledFile {
  readonly path: string;
  /** Of the bytes as they are stored: of the ciphertext, when files are encrypted. */
  readonly sizeBytes: number;
  /** Of the same bytes, in lower-case hexadecimal. */
  readonly sha256: string;
}

/** What a storage knows of one file. */
export interface StoredObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
}

/** Positions of bytes, both included, counted from 0. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Beside the stored files, for those on their way in; no storage lists it. */
export const SPOOL_FOLDER = '.incoming';

export type StorageDriver = 'disk' | 's3' | 'webdav';

/**
 * Where bytes are kept. Keys are relative names that the files module made (letters, digits, dots, dashes and underscores).
 * All methods may be called again after a failure, and side by side.
 */
export abstract class FileStorage {
  abstract readonly driver: StorageDriver;

  /**
   * Keeps a spooled file's bytes under the key, in place of what was there. Resolves when they would survive a crash and were
   * seen to be there whole: same size and hash. May take the spooled file itself away; whoever spooled it removes what is left.
   * Throws `FileStorageFull`, `FileStorageUnavailable` (worth another try) or `FileNotStored`.
   */
  abstract put(key: string, file: SpooledFile): Promise<void>;

  /** The bytes, or a part of them. Throws `FileNotFound`, `FileStorageUnavailable` or `FileUnreadable`. */
  abstract open(key: string, range?: ByteRange): Promise<Readable>;

  /** Undefined when there is no such file. Throws as {@link open} does otherwise. */
  abstract stat(key: string): Promise<StoredObject | undefined>;

  /** Does nothing when there is no such file. */
  abstract remove(key: string): Promise<void>;

  /** Every file that is there, in no order. Never what is still on its way in. */
  abstract list(): AsyncIterable<StoredObject>;

  /** Makes the place ready at the start: folders, buckets' existence. Rejects with a sentence that names the setting. */
  abstract prepare(): Promise<void>;

  /** Writes, reads and deletes a small file. Rejects when one of them fails. */
  abstract check(): Promise<void>;
}
