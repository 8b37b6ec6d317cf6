import { BlockReader } from './block-reader.js';
import { bytesOf } from './bytes-of.js';
import type { Content } from './content.js';
import { Finding } from './finding.js';
import { inflate } from './inflate.js';
import { type ContentWatcher, type Inspection, notOfType } from './inspection.js';
import { type ObjectStream, PdfNames } from './pdf-names.js';
import { readCrossReference } from './pdf-xref.js';
import { kindOf } from './signatures.js';

const HEADER = '%PDF-';
const END_MARKER = '%%EOF';
const HEAD_BYTES = 1024;
const TAIL_BYTES = 1024;
/** All object streams of one file together: a document's take a tenth of it. */
const MOST_UNPACKED_BYTES = 16 * 1024 * 1024;
const MOST_RATIO = 200;
/** Below this size a stream may be packed as tightly as it likes. */
const SMALL_STREAM_BYTES = 1024 * 1024;

/**
 * Whether a content is a PDF, and what is worth knowing about it; undefined when there is no header in its first KiB (ISO
 * 32000-2, 7.5.2 and annex I). Reads it once from its beginning to its end, unless a watcher saw it; keeps less than 1 MiB
 * in memory, and never throws for what the content says.
 */
export async function inspectPdf(content: Content, watcher?: ContentWatcher): Promise<Inspection | undefined> {
  const headerAt = (await content.read(0, HEAD_BYTES)).indexOf(HEADER);
  if (headerAt < 0) return undefined;
  // one file that is two things is opened as the wrong one by somebody
  const other = headerAt === 0 ? undefined : await kindOf(content);
  if (other !== undefined) return notOfType(other);
  const names = watcher instanceof PdfNames ? watcher : await namesIn(content);
  names.end();
  const findings = new Set<Finding>();
  const structure = await inspectStructure(content, headerAt);
  for (const finding of structure.findings) findings.add(finding);
  if (structure.isEncrypted || (structure.findings.length > 0 && names.hasEncryption)) findings.add(Finding.Encrypted);
  // the object streams of an encrypted document are encrypted, too
  if (!findings.has(Finding.Encrypted)) await searchObjectStreams(content, names);
  for (const finding of names.findings) findings.add(finding);
  return { isOfType: true, findings: [...findings] };
}

async function namesIn(content: Content): Promise<PdfNames> {
  const names = new PdfNames();
  for await (const chunk of content.stream()) names.write(chunk);
  return names;
}

/** ISO 32000-2, 7.5.5: the last line is the end marker; before it stands the position of the cross-reference section. */
async function inspectStructure(
  content: Content,
  headerAt: number,
): Promise<{ findings: readonly Finding[]; isEncrypted: boolean }> {
  const reader = new BlockReader(content);
  const tailAt = Math.max(0, content.sizeBytes - 2 * TAIL_BYTES);
  const tail = (await reader.read(tailAt, 2 * TAIL_BYTES)).toString('latin1');
  const end = tail.lastIndexOf(END_MARKER);
  if (tailAt + end < content.sizeBytes - TAIL_BYTES || end < 0)
    return { findings: [Finding.Truncated], isEncrypted: false };
  const position = /^startxref[\0\t\n\f\r ]{1,8}(\d{1,10})[\0\t\n\f\r ]/.exec(
    tail.slice(Math.max(0, tail.lastIndexOf('startxref', end))),
  )?.[1];
  if (position === undefined) return { findings: [Finding.Damaged], isEncrypted: false };
  const { isParsable, isEncrypted } = await readCrossReference(reader, Number(position), headerAt);
  return { findings: isParsable ? [] : [Finding.Damaged], isEncrypted };
}

/** Objects may be packed together: ISO 32000-2, 7.5.7. What is found there is added to the names. */
async function searchObjectStreams(content: Content, names: PdfNames): Promise<void> {
  // streams are read ahead of, and hostile ones can lie in one another
  const budget = { packed: 4 * content.sizeBytes + MOST_UNPACKED_BYTES, unpacked: MOST_UNPACKED_BYTES };
  for (const stream of names.objectStreams) {
    if (!(await searchObjectStream(content, stream, names, budget))) names.findings.add(Finding.UncheckedParts);
  }
}

/** Whether all of it was searched. */
async function searchObjectStream(
  content: Content,
  { start, isUnusual }: ObjectStream,
  names: PdfNames,
  budget: { packed: number; unpacked: number },
): Promise<boolean> {
  const isPlain = /^[\0\t\n\f\r ]*\d/.test((await content.read(start, 16)).toString('latin1'));
  if (isPlain) return !isUnusual;
  if (isUnusual || budget.packed <= 0 || budget.unpacked <= 0) return false;
  const inside = new PdfNames();
  let [packed, unpacked] = [0, 0];
  const packedBytes = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of bytesOf(content, start, Math.min(content.sizeBytes, start + budget.packed), 4096)) {
      packed += chunk.length;
      yield chunk;
    }
  };
  let isWhole = true;
  try {
    for await (const chunk of inflate(packedBytes(), 'zlib')) {
      unpacked += chunk.length;
      inside.write(chunk);
      isWhole = unpacked <= budget.unpacked && (unpacked < SMALL_STREAM_BYTES || unpacked <= packed * MOST_RATIO);
      if (!isWhole) break;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_') !== true) throw error;
    isWhole = false;
  }
  inside.end();
  for (const finding of inside.findings) names.findings.add(finding);
  budget.packed -= packed;
  budget.unpacked -= unpacked;
  return isWhole;
}
