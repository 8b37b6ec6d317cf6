import type { SpanAttributes, Tracing } from '../common/tracing.js';

const LONGEST_TEXT = 2_000;
const KNOWN = new Map<string, SpanAttributes>();

/** What a trace calls a statement. */
function operationOf(text: string): string {
  return /\w+/.exec(text)?.[0].toUpperCase() ?? 'SQL';
}

/** What a trace tells of a statement: its text, which is constant; never its values, which are people's data. */
function attributesOf(text: string): SpanAttributes {
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

/** What `work` gives, shown as a statement where there is something to show it under; elsewhere it costs that question. */
export function statement<T>(tracing: Tracing, text: string, work: () => Promise<T>): Promise<T> {
  return tracing.isWithin ? tracing.step(operationOf(text), attributesOf(text), work) : work();
}
