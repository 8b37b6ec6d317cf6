import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';

/** A stored file, open for reading. */
export interface OpenFile {
  readonly stream: Readable;
  readonly sizeBytes: number;
}

/**
 * Where bytes are kept. Keys are relative names that the files module made. A driver resolves only when the bytes would
 * survive a crash of the machine.
 */
export abstract class FileStorage {
  /** A new file on the way in; its bytes count only after {@link keep}. */
  abstract receive(): Promise<IncomingFile>;
  /** Makes a received file durable under its key. */
  abstract keep(incoming: IncomingFile, key: string): Promise<void>;
  /** Throws `FileNotFound` when there is no such file, `FileUnreadable` when it cannot be read. */
  abstract open(key: string): Promise<OpenFile>;
  /** Does nothing when there is no such file. */
  abstract remove(key: string): Promise<void>;
  /** Resolves when the storage can take files; throws otherwise. */
  abstract check(): Promise<void>;
}

/** Bytes on their way in, in a place of their own. */
export interface IncomingFile {
  write(chunk: Buffer): Promise<void>;
  /** Forces the bytes to the disk. */
  seal(): Promise<void>;
  /** For looking at the content before it is kept. */
  readonly handle: FileHandle;
  /** Closes and removes it, unless it was kept. Can be called again. */
  discard(): Promise<void>;
}
