import type { CopyDefect } from '../files/file-copies.service.js';
import type { KeySample } from '../files/key-trial.service.js';
import type { JobCopy } from '../jobs/copies.jobs.js';

/** What an archive says before everything else. */
export interface ArchiveBeginning {
  readonly kind: 'beginning';
  readonly madeAt: string;
  readonly migrations: readonly string[];
  /** A file's wrapped key for each key-encryption key that files are under, to try the keys at hand with. */
  readonly fileKeys: readonly KeySample[];
  /** Sealed like a value in the database, to try SECRET_KEY with. */
  readonly sealedValue: string;
}

/** A secret that Forecourt made itself and keeps under DATA_DIR. */
export interface ArchivedSecret {
  readonly kind: 'secret';
  readonly path: string;
  readonly text: string;
}

/** Followed by its rows as COPY writes them. */
export interface ArchivedTable {
  readonly kind: 'table';
  readonly name: string;
  readonly columns: readonly string[];
}

/** Followed by its bytes as they are stored, unless there are none. */
export interface ArchivedFile {
  readonly kind: 'file';
  readonly id: string;
  readonly key: string;
}

export interface ArchivedJobs {
  readonly kind: 'jobs';
  readonly jobs: readonly JobCopy[];
}

export interface ArchivedSequence {
  readonly kind: 'sequence';
  readonly name: string;
  readonly lastValue: string;
}

/** What follows the bytes of a table or a file. */
export interface BodyEnd {
  readonly kind: 'body end';
  readonly bytes: number;
  readonly sha256: string;
  /** Of a table. */
  readonly rows?: number;
  /** Of a file; null when all is well. */
  readonly defect?: CopyDefect | null;
}

/** What an archive has, all together. */
export interface ArchiveTotals {
  tables: number;
  rows: number;
  files: number;
  /** Of the files. */
  bytes: number;
  jobs: number;
}

export interface ArchiveEnd extends Readonly<ArchiveTotals> {
  readonly kind: 'end';
}

export type Section =
  ArchiveBeginning | ArchivedSecret | ArchivedTable | ArchivedFile | ArchivedJobs | ArchivedSequence | ArchiveEnd;

export const noTotals = (): ArchiveTotals => ({ tables: 0, rows: 0, files: 0, bytes: 0, jobs: 0 });

/** Counts what a section and its end say. */
export function add(totals: ArchiveTotals, section: Section, end?: BodyEnd): void {
  if (section.kind === 'jobs') totals.jobs += section.jobs.length;
  if (section.kind === 'table') {
    totals.tables += 1;
    totals.rows += end?.rows ?? 0;
  }
  if (section.kind === 'file') {
    totals.files += 1;
    totals.bytes += end?.bytes ?? 0;
  }
}

export const sentenceOf = ({ tables, rows, files, bytes, jobs }: Readonly<ArchiveTotals>): string =>
  `${rows} rows of ${tables} tables, ${jobs} jobs, ${files} files with ${bytes} bytes`;
