import type { Content } from './content.js';
import { isDocx } from './docx.js';
import { hasWordDocument } from './ole.js';

/** A type of file that can be accepted: its one extension, its one media type, and the proof in its bytes. */
export interface FileType {
  readonly name: string;
  readonly extension: string;
  readonly mediaType: string;
  /** Whether the content is of this type. Never throws for what the content says. */
  matches(content: Content): Promise<boolean>;
}

const PDF: FileType = {
  name: 'PDF',
  extension: '.pdf',
  mediaType: 'application/pdf',
  // ISO 32000-2, annex I: readers accept the header anywhere in the first 1024 bytes
  async matches(content) {
    return (await content.read(0, 1024)).includes('%PDF-');
  },
};

const DOC: FileType = {
  name: 'DOC',
  extension: '.doc',
  mediaType: 'application/msword',
  matches: hasWordDocument,
};

const DOCX: FileType = {
  name: 'DOCX',
  extension: '.docx',
  mediaType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  matches: isDocx,
};

/** What the public form takes as a résumé. */
export const RESUME_TYPES: readonly FileType[] = [PDF, DOC, DOCX];

/** The type that both the name's extension and the declared media type speak for, or undefined. */
export function declaredType(types: readonly FileType[], fileName: string, mediaType: string): FileType | undefined {
  const name = fileName.toLowerCase();
  return types.find((type) => name.endsWith(type.extension) && mediaType.toLowerCase() === type.mediaType);
}
