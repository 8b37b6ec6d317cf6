import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { NotGenuine, opened, Seal, sealedSpan } from './encryption.js';
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
    const kept = await this.compareStored(file, dataKey, fromStorage);
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
    const hash = createHash('sha256');
    const sizeBytes = await readAll(content, hash);
    if (sizeBytes !== file.sizeBytes || hash.digest('hex') !== file.sha256) throw differs(file);
  }

  /** The content in pieces, unverified where it is not encrypted. Throws as {@link verify} does. */
  async *content(file: StoredFile): AsyncGenerator<Buffer> {
    yield* contentOf(file, this.keyOf(file), (range) => this.open(file, range), wholeOf(file));
  }

  /** Reads all stored bytes. Returns them when they are few. */
  private async compareStored(
    file: StoredFile,
    dataKey: Buffer | undefined,
    source: Source,
  ): Promise<Buffer[] | undefined> {
    if (dataKey !== undefined && file.seal === null) {
      // encrypted before there were seals
      await this.check(file);
      return undefined;
    }
    const kept = file.sizeBytes <= MOST_BYTES_IN_MEMORY ? [] : undefined;
    const code = dataKey === undefined ? createHash('sha256') : new Seal(dataKey);
    const stored = await source({ start: 0, end: file.storedBytes - 1 });
    const isComplete = (await readAll(stored, code, kept)) === file.storedBytes;
    const found = code instanceof Seal ? code.final() : code.digest();
    const expected = file.seal ?? Buffer.from(file.sha256, 'hex');
    if (!isComplete || !found.equals(expected)) throw differs(file);
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

/** Gives each piece to the code, and to `kept` if that is there. Returns how many bytes there were. */
async function readAll(
  pieces: AsyncIterable<Buffer> | Iterable<Buffer>,
  code: { update(piece: Buffer): unknown },
  kept?: Buffer[],
): Promise<number> {
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    code.update(piece);
    kept?.push(piece);
  }
  return bytes;
}

const differs = ({ id }: StoredFile): FileIntegrityFailed =>
  new FileIntegrityFailed({ cause: new Error(`file ${id} differs from its record`) });
