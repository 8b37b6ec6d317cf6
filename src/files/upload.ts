import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { declaredType, type FileType } from './file-types.js';
import { shownName } from './file-names.js';
import type { FileKeys } from './file-keys.js';
import { FileTypeNotAllowed } from './files.errors.js';
import type { Finding } from './finding.js';
import type { IncomingFile, Spool } from './spool.js';

/** A file that came with a request, whole, hashed and of an accepted type; not yet kept. */
export interface ReceivedFile {
  /** What it is to be called in the table; its data key is bound to it. */
  readonly id: string;
  readonly originalName: string;
  readonly type: FileType;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** What is worth knowing before it is opened. */
  readonly findings: readonly Finding[];
  readonly keyId: string | null;
  readonly wrappedKey: Buffer | null;
  readonly incoming: IncomingFile;
}

/** What an upload has to be. */
export interface UploadProfile {
  readonly field: string;
  readonly types: readonly FileType[];
}

/** A part of a multipart body that is a file, as multer hands it over. */
export interface FilePart {
  readonly originalname: string;
  readonly mimetype: string;
  readonly stream: Readable & { readonly truncated?: boolean };
}

/** The file was empty: a defect of the form field, reported with the other fields. */
export const EMPTY = Symbol('empty file');
/** The file exceeds the limit; multer reports it. */
export const TRUNCATED = Symbol('truncated file');

/**
 * Takes one file in: streams it to the spool while counting, hashing and encrypting, then looks at its content. Bytes of a type
 * that is refused anyway are read but not written, because a file that is also too large must be answered with 413.
 */
export async function receiveFile(
  part: FilePart,
  profile: UploadProfile,
  spool: Spool,
  keys: FileKeys,
): Promise<ReceivedFile | typeof EMPTY | typeof TRUNCATED> {
  const type = declaredType(profile.types, part.originalname, part.mimetype);
  const id = randomUUID();
  const key = keys.make(id);
  const incoming = type === undefined ? undefined : await spool.receive(key?.dataKey);
  const watcher = type?.watch?.();
  try {
    // Leaving the loop early must not destroy the stream: multer would report that instead of our refusal.
    for await (const chunk of part.stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      watcher?.write(chunk);
      await incoming?.write(chunk);
    }
    if (part.stream.truncated === true) {
      await incoming?.discard();
      return TRUNCATED;
    }
    if (type === undefined || incoming === undefined) throw notAllowed(profile);
    const { sizeBytes } = incoming;
    if (sizeBytes === 0) {
      await incoming.discard();
      return EMPTY;
    }
    const sha256 = await incoming.end();
    const inspection = await type.inspect(incoming, watcher);
    if (!inspection.isOfType) {
      throw notAllowed(profile, `The content is not that of a ${type.name} file: it looks like ${inspection.found}`);
    }
    return {
      id,
      originalName: shownName(part.originalname),
      type,
      sizeBytes,
      sha256,
      findings: inspection.findings,
      keyId: key?.keyId ?? null,
      wrappedKey: key?.wrappedKey ?? null,
      incoming,
    };
  } catch (error) {
    await incoming?.discard();
    throw error;
  }
}

function notAllowed(profile: UploadProfile, found?: string): FileTypeNotAllowed {
  const names = profile.types.map(({ name }) => name).join(', ');
  return new FileTypeNotAllowed({
    fieldErrors: { [profile.field]: [found ?? `Only ${names} files are accepted, named and declared as such`] },
  });
}
