import { createHash } from 'node:crypto';

/** What of an entry is hashed, as the database writes it: nothing that JavaScript would round. */
export interface HashedFields {
  readonly id: string;
  /** In UTC with six digits of a second. */
  readonly at: string;
  readonly actor_kind: string;
  readonly actor_id: string | null;
  readonly actor_name: string | null;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly request_id: string | null;
  readonly action: string;
  readonly target_kind: string;
  readonly target_id: string | null;
  readonly outcome: string;
  /** JSON in PostgreSQL's own spelling of a jsonb value, which is always the same. */
  readonly details: string;
}

/** What stands for the hash of an entry before the first. */
export const NO_HASH = '0'.repeat(64);

/** The form that is hashed. Another form needs another number here, and both must be read for ever. */
const FORM = 'forecourt-audit-1';

/**
 * The hash of an entry at its place in the chain: SHA-256, in hexadecimal digits, over the UTF-8 bytes of a JSON array without
 * white space of the form, number, hash of the entry before and the fields in this order.
 */
export function hashOf(number: bigint, previousHash: string, fields: HashedFields): string {
  const parts = [
    FORM,
    number.toString(),
    previousHash,
    fields.id,
    fields.at,
    fields.actor_kind,
    fields.actor_id,
    fields.actor_name,
    fields.ip,
    fields.user_agent,
    fields.request_id,
    fields.action,
    fields.target_kind,
    fields.target_id,
    fields.outcome,
    fields.details,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
