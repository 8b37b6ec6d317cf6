import type { AuditEntry } from './audit-entry.entity.js';

export const AUDIT_EXPORT_FORMATS = ['csv', 'ndjson'] as const;
export type AuditExportFormat = (typeof AUDIT_EXPORT_FORMATS)[number];

export const MEDIA_TYPES: Readonly<Record<AuditExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

/** The columns of an export in both formats, in this order. */
const COLUMNS: readonly (readonly [name: string, of: (entry: AuditEntry) => unknown])[] = [
  ['number', (entry) => entry.number],
  ['at', (entry) => entry.at.toISOString()],
  ['actor_kind', (entry) => entry.actorKind],
  ['actor_id', (entry) => entry.actorId],
  ['actor_name', (entry) => entry.actorName],
  ['ip', (entry) => entry.ip],
  ['user_agent', (entry) => entry.userAgent],
  ['request_id', (entry) => entry.requestId],
  ['action', (entry) => entry.action],
  ['target_kind', (entry) => entry.targetKind],
  ['target_id', (entry) => entry.targetId],
  ['outcome', (entry) => entry.outcome],
  ['details', (entry) => entry.details],
  ['id', (entry) => entry.id],
  ['previous_hash', (entry) => entry.previousHash],
  ['hash', (entry) => entry.hash],
];

/** What comes before the first entry. */
export function headOf(format: AuditExportFormat): string {
  return format === 'csv' ? csvLine(COLUMNS.map(([name]) => name)) : '';
}

export function lineOf(format: AuditExportFormat, entry: AuditEntry): string {
  if (format === 'csv') return csvLine(COLUMNS.map(([, valueOf]) => valueOf(entry)));
  return `${JSON.stringify(Object.fromEntries(COLUMNS.map(([name, valueOf]) => [name, valueOf(entry)])))}\n`;
}

/** What makes a spreadsheet compute instead of show (OWASP, CSV Injection), the wide forms of the signs included. */
const FORMULA = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

/** One record as RFC 4180 says, every field in quotes; one that a spreadsheet would take for a formula begins with an apostrophe. */
function csvLine(values: readonly unknown[]): string {
  const fields = values.map((value) => {
    const text = value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
    return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  });
  return `${fields.join(',')}\r\n`;
}
