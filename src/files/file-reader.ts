import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { NotGenuine, opened, sealedSpan } from './encryption.js';
import type { StoredFile } from './file.entity.js';
import { FileKeys } from './file-keys.js';
import { FileIntegrityFailed, FileNotFound } from './files.errors.js';
import { slices } from './slices.js';
import { FilesRepository } from './files.repository.js';
import type { ByteRange, StorageDriver } from './storage/file-storage.js';
import { FileStorages } from './storage/file-storages.js';

/** Read from the storage, and handed on, in one piece. */
const PIECE_BYTES = 256 * 1024;
/**
 * Files up to this size are read once, checked in memory and sent; larger ones are read twice. More is slower: memory that is
 * held until a client has taken it costs the collector more than reading the file again costs the disk's cache.
 */
const MOST_BYTES_IN_MEMORY = PIECE_BYTES;

/** The content of a stored file that was found to be what was uploaded. */
export interface VerifiedContent {
  /** All of it or a part. */
  stream(range?: ByteRange): Readable;
}

/** Gives the stored bytes of a file, or a part of them. */
type Source = (range: ByteRange) => Promise<AsyncIterable<Buffer> | Iterable<Buffer>>;

/** Reads stored files, decrypted where they are encrypted. */
@Injectable()
export class FileReader {
  constructor(
    private readonly files: FilesRepository,
    private readonly storages: FileStorages,
    private readonly keys: FileKeys,
  ) {}

  /**
   * Reads the whole file and compares it with its record before a byte of it is given away. Of an encrypted file those are the
   * stored bytes: they are decrypted on their way out only, where each chunk proves once more that it is genuine before it
   * leaves. Throws `FileIntegrityFailed`, `FileNotFound`, `FileKeyMissing` or what the storage throws.
   */
  async verify(file: StoredFile): Promise<VerifiedContent> {
    const dataKey = this.keyOf(file);
    const fromStorage: Source = (range) => this.open(file, range);
    const kept = await this.compareStored(file, fromStorage);
    const source: Source = kept === undefined ? fromStorage : async (range) => slices(kept, range);
    return {
      stream: (range = wholeOf(file)) =>
        Readable.from(contentOf(file, dataKey, source, range), {
          objectMode: false,
          highWaterMark: PIECE_BYTES,
        }),
    };
  }

  /**
   * Decrypts the whole file where it is encrypted, and compares its content with the recorded size and hash. Throws as
   * {@link verify} does. `copyAt` names another storage in which a copy is looked for.
   */
  async check(file: StoredFile, copyAt?: StorageDriver): Promise<void> {
    const content = contentOf(file, this.keyOf(file), (range) => this.open(file, range, copyAt), wholeOf(file));
    await compare(file, content, { sizeBytes: file.sizeBytes, sha256: file.sha256 });
  }

  /** The content in pieces, unverified where it is not encrypted. Throws as {@link verify} does. */
  async *content(file: StoredFile): AsyncGenerator<Buffer> {
    yield* contentOf(file, this.keyOf(file), (range) => this.open(file, range), wholeOf(file));
  }

  /** The stored bytes, when they are few. */
  private async compareStored(file: StoredFile, source: Source): Promise<Buffer[] | undefined> {
    const sizeBytes = file.storedBytes;
    const sha256 = file.isEncrypted ? file.sealedSha256 : file.sha256;
    if (sha256 === null) {
      // sealed before that hash was recorded
      await this.check(file);
      return undefined;
    }
    const kept = file.sizeBytes <= MOST_BYTES_IN_MEMORY ? [] : undefined;
    await compare(file, await source({ start: 0, end: sizeBytes - 1 }), { sizeBytes, sha256 }, kept);
    return kept;
  }

  /** Undefined for a file that is not encrypted. */
  private keyOf(file: StoredFile): Buffer | undefined {
    if (file.purgedAt !== null) throw new FileNotFound();
    return this.keys.unwrap(file.id, file);
  }

  /** The bytes as they are stored. A file may have been moved to another storage since its row was read. */
  private async open(
    { id, storage, storageKey }: StoredFile,
    range: ByteRange,
    copyAt: StorageDriver = storage,
  ): Promise<AsyncIterable<Buffer>> {
    try {
      return (await (await this.storages.at(copyAt)).open(storageKey, range)) as AsyncIterable<Buffer>;
    } catch (error) {
      const movedTo = error instanceof FileNotFound ? (await this.files.findById(id))?.storage : undefined;
      if (movedTo === undefined || movedTo === copyAt || copyAt !== storage) throw error;
      return (await (await this.storages.at(movedTo)).open(storageKey, range)) as AsyncIterable<Buffer>;
    }
  }
}

const wholeOf = ({ sizeBytes }: StoredFile): ByteRange => ({ start: 0, end: sizeBytes - 1 });

async function* contentOf(
  file: StoredFile,
  dataKey: Buffer | undefined,
  source: Source,
  range: ByteRange,
): AsyncGenerator<Buffer> {
  if (dataKey === undefined) {
    yield* await source(range);
    return;
  }
  const part = { start: range.start, end: range.end + 1 };
  const span = sealedSpan(part, file.sizeBytes);
  try {
    yield* opened(await source({ start: span.start, end: span.end - 1 }), dataKey, part, file.sizeBytes);
  } catch (error) {
    throw error instanceof NotGenuine ? new FileIntegrityFailed({ cause: error }) : error;
  }
}

/** Throws `FileIntegrityFailed` unless the bytes have this size and hash; notes them in `kept`, if that is there. */
async function compare(
  { id }: StoredFile,
  bytes: AsyncIterable<Buffer> | Iterable<Buffer>,
  expected: { readonly sizeBytes: number; readonly sha256: string },
  kept?: Buffer[],
): Promise<void> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of bytes) {
    sizeBytes += chunk.length;
    hash.update(chunk);
    kept?.push(chunk);
  }
  if (sizeBytes !== expected.sizeBytes || hash.digest('hex') !== expected.sha256)
    throw new FileIntegrityFailed({ cause: new Error(`file ${id} differs from its record`) });
}
