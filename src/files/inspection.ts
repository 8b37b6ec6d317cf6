import type { Finding } from './finding.js';

/** What a look at the content says: of the type, with what is worth knowing; or not, with what it is instead. */
export type Inspection =
  | { readonly isOfType: true; readonly findings: readonly Finding[] }
  /** `found` continues the sentence "it looks like …" for the sender. */
  | { readonly isOfType: false; readonly found: string };

export const notOfType = (found: string): Inspection => ({ isOfType: false, found });
