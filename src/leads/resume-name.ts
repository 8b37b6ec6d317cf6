import { extname } from 'node:path';
import type { Lead } from './lead.entity.js';

/** What a résumé is called when it is downloaded: `Ada_Lovelace_resume.pdf`, from the lead's name and the real extension. */
export function resumeNameOf({ firstName, lastName, resumePath }: Lead): string {
  return `${partOf(firstName)}_${partOf(lastName)}_resume${extname(resumePath)}`;
}

/** Without what a file name cannot have on some system. */
function partOf(name: string): string {
  return name
    .replace(/[\p{Cc}\p{Cs}"*/:<>?\\|%]+/gu, '')
    .trim()
    .replace(/\s+/g, '_');
}
