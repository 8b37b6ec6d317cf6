import type { Content } from './content.js';
import { inspectDocx } from './docx.js';
import { type ContentWatcher, type Inspection, notOfType } from './inspection.js';
import { inspectDoc } from './ole.js';
import { inspectPdf } from './pdf.js';
import { PdfNames } from './pdf-names.js';
import { describeContent } from './signatures.js';

/** A type of file that can be accepted: its one extension, its one media type, and the proof in its bytes. */
export interface FileType {
  readonly name: string;
  readonly extension: string;
  readonly mediaType: string;
  /** Something to show the content to while it comes in, all of it and in order. */
  watch?(): ContentWatcher;
  /**
   * Whether the content is of this type, and what is worth knowing about it; with the watcher that saw it come in, if there was
   * one. Never throws for what the content says.
   */
  inspect(content: Content, watcher?: ContentWatcher): Promise<Inspection>;
}

/** An inspection that leaves a content of quite another kind to be described. */
const orOther =
  (inspect: (content: Content, watcher?: ContentWatcher) => Promise<Inspection | undefined>): FileType['inspect'] =>
  async (content, watcher) =>
    (await inspect(content, watcher)) ?? notOfType(await describeContent(content));

const PDF: FileType = {
  name: 'PDF',
  extension: '.pdf',
  mediaType: 'application/pdf',
  watch: () => new PdfNames(),
  inspect: orOther(inspectPdf),
};

const DOC: FileType = {
  name: 'DOC',
  extension: '.doc',
  mediaType: 'application/msword',
  inspect: orOther(inspectDoc),
};

const DOCX: FileType = {
  name: 'DOCX',
  extension: '.docx',
  mediaType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  // Word protects a DOCX by putting it into a compound file: [MS-OFFCRYPTO] 2.3
  inspect: orOther(inspectDocx),
};

/** What the public form takes as a résumé. */
export const RESUME_TYPES: readonly FileType[] = [PDF, DOC, DOCX];

/** The type that both the name's extension and the declared media type speak for, or undefined. */
export function declaredType(types: readonly FileType[], fileName: string, mediaType: string): FileType | undefined {
  const name = fileName.toLowerCase();
  return types.find((type) => name.endsWith(type.extension) && mediaType.toLowerCase() === type.mediaType);
}
