import { createHmac, timingSafeEqual } from 'node:crypto';
import { isUuid } from '../common/uuid.js';
import { ERASURE_REASONS, type ErasureReason } from './erasure.entity.js';

const FORMAT = 'forecourt erasure 1';
const SUFFIX = '.json';

/** What is kept of an erasure outside of the database, to do it again by. It names nobody. */
export interface ErasureNote {
  readonly id: string;
  /** What stands for the person (see `PersonKey`). */
  readonly person: string;
  readonly reason: ErasureReason;
  readonly requestedAt: Date;
}

export const noteNameOf = (id: string): string => `${id}${SUFFIX}`;

/** The id of the erasure whose note has this name; undefined when it is no note's. */
export function erasureIdOf(name: string): string | undefined {
  const id = name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : '';
  return isUuid(id) && id === id.toLowerCase() ? id : undefined;
}

/** As text, signed: whoever can write notes, but does not know SECRET_KEY, erases nobody. */
export function writeNote(note: ErasureNote, secret: string): string {
  const { id, person, reason, requestedAt } = note;
  const said = { format: FORMAT, id, person, reason, requested_at: requestedAt.toISOString() };
  return `${JSON.stringify({ ...said, mac: macOf(note, secret).toString('hex') })}\n`;
}

/** Undefined when it is none of the erasure, was changed, or is signed under none of these secrets. */
export function readNote(text: string, id: string, secrets: readonly string[]): ErasureNote | undefined {
  const said = parsed(text);
  const { person, reason, requested_at: at, mac } = said;
  if (said['format'] !== FORMAT || said['id'] !== id || typeof person !== 'string' || typeof at !== 'string')
    return undefined;
  const known = ERASURE_REASONS.find((each) => each === reason);
  const requestedAt = new Date(at);
  if (known === undefined || Number.isNaN(requestedAt.getTime()) || !/^[0-9a-f]{64}$/.test(person)) return undefined;
  const note = { id, person, reason: known, requestedAt };
  const given = Buffer.from(typeof mac === 'string' && /^[0-9a-f]{64}$/.test(mac) ? mac : '', 'hex');
  const isOurs = secrets
    .map((secret) => macOf(note, secret))
    .some((own) => own.length === given.length && timingSafeEqual(own, given));
  return isOurs ? note : undefined;
}

function macOf({ id, person, reason, requestedAt }: ErasureNote, secret: string): Buffer {
  const words = [FORMAT, id, person, reason, requestedAt.toISOString()].join('\n');
  return createHmac('sha256', `forecourt erasure notes\0${secret}`).update(words).digest();
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
