import type { AuditOutcome } from './audit-entry.entity.js';

/** What happened, beside who did it and when. */
export interface AuditEvent {
  /** Such as `lead.resume_downloaded`. */
  readonly action: string;
  readonly targetKind: string;
  readonly targetId: string | null;
  readonly outcome?: AuditOutcome;
  /** Ids, codes and numbers; no personal data. */
  readonly details?: Readonly<Record<string, unknown>>;
}
