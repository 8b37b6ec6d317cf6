import { createHash } from 'node:crypto';
import type { ArchiveBeginning, ArchivedSecret, ArchiveTotals } from './archive.js';
import { ArchiveRefused } from './archive-key.js';
import type { ArchiveSource } from './archive-places.js';
import { sectionsOf } from './archive-reader.js';
import type { CopyDefect } from '../files/file-copies.service.js';

/** What a whole archive says, after every byte of it was found genuine. */
export interface CheckedArchive {
  readonly beginning: ArchiveBeginning;
  readonly secrets: readonly ArchivedSecret[];
  readonly totals: Readonly<ArchiveTotals>;
  /** Files that are in it without their bytes, or with others than they should have. */
  readonly defective: readonly { readonly id: string; readonly defect: CopyDefect }[];
  readonly bytes: number;
  readonly sha256: string;
}

/** Reads an archive to its end. Throws {@link ArchiveRefused}, or what the disk or store says. */
export async function checkArchive(source: ArchiveSource, key: Buffer): Promise<CheckedArchive> {
  const hash = createHash('sha256');
  let bytes = 0;
  let beginning: ArchiveBeginning | undefined;
  let totals: ArchiveTotals | undefined;
  const secrets: ArchivedSecret[] = [];
  const defective: { id: string; defect: CopyDefect }[] = [];
  const sections = sectionsOf(await source(), key, (piece) => {
    hash.update(piece);
    bytes += piece.length;
  });
  for await (const { section, body, end } of sections) {
    if (section.kind === 'beginning') beginning = section;
    else if (section.kind === 'secret') secrets.push(section);
    else if (section.kind === 'file') {
      for await (const _ of body);
      const { defect } = end();
      if (defect !== null && defect !== undefined) defective.push({ id: section.id, defect });
    } else if (section.kind === 'end') {
      const { kind: _, ...counts } = section;
      totals = counts;
    }
  }
  if (beginning === undefined || totals === undefined) throw new ArchiveRefused('The archive has no beginning');
  return { beginning, secrets, totals, defective, bytes, sha256: hash.digest('hex') };
}
