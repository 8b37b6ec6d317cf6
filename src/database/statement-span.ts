import type { SpanAttributes } from '../common/tracing.js';

const LONGEST_TEXT = 2_000;
const KNOWN = new Map<string, SpanAttributes>();

/** What a trace calls a statement. */
export function operationOf(text: string): string {
  return /\w+/.exec(text)?.[0].toUpperCase() ?? 'SQL';
}

/** What a trace tells of a statement: its text, which is constant; never its values, which are people's data. */
export function statementSpan(text: string): SpanAttributes {
  let known = KNOWN.get(text);
  if (known === undefined) {
    known = {
      'db.system.name': 'postgresql',
      'db.operation.name': operationOf(text),
      'db.query.text': text.replace(/\s+/g, ' ').trim().slice(0, LONGEST_TEXT),
    };
    KNOWN.set(text, known);
  }
  return known;
}
