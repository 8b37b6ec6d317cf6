import { createHash } from 'node:crypto';

const NAMES = new Map<string, string>();

/** A statement that each connection parses and plans once. The text must be constant. */
export function prepared(text: string, values: readonly unknown[]): { name: string; text: string; values: unknown[] } {
  let name = NAMES.get(text);
  if (name === undefined) {
    name = createHash('sha1').update(text).digest('hex').slice(0, 20);
    NAMES.set(text, name);
  }
  return { name, text, values: [...values] };
}
