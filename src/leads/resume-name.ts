import contentDisposition from 'content-disposition';
import { extname } from 'node:path';
import type { LeadResume } from './leads.service.js';

/**
 * The headers of a download. The name is made from the lead's, never from the sender's file name: `Ada_Lovelace_resume.pdf`,
 * in ASCII and, where that loses something, in UTF-8 as well (RFC 6266, RFC 8187).
 */
export function resumeHeaders({
  lead,
  file,
  sizeBytes,
}: Pick<LeadResume, 'lead' | 'file' | 'sizeBytes'>): Record<string, string> {
  const name = `${partOf(lead.firstName)}_${partOf(lead.lastName)}_resume${extname(file.storageKey)}`;
  return {
    'Content-Type': file.mediaType,
    'Content-Length': String(sizeBytes),
    'Content-Disposition': contentDisposition(name, { type: 'attachment', fallback: asciiOf(name) }),
  };
}

/** Without what a file name cannot have on some system. */
function partOf(name: string): string {
  return name
    .replace(/[\p{Cc}\p{Cs}"*/:<>?\\|%]+/gu, '')
    .trim()
    .replace(/\s+/g, '_');
}

function asciiOf(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x20-\x7e]/g, '_');
}
