import type { Finding } from './finding.js';

/** What a look at the content says: of the type, with what is worth knowing; or not, with what it is instead. */
export type Inspection =
  | { readonly isOfType: true; readonly findings: readonly Finding[] }
  /** `found` continues the sentence "it looks like …" for the sender. */
  | { readonly isOfType: false; readonly found: string };

/** Sees a content go by on its way in, so that it need not be read again for the inspection. */
export interface ContentWatcher {
  write(chunk: Buffer): void;
}

export const notOfType = (found: string): Inspection => ({ isOfType: false, found });
