import { type Reader, secretText } from './setting-readers.js';

/** Meaning, default and how its text is read. */
export interface Setting<T = unknown> {
  readonly group: string;
  readonly doc: string;
  /** What `.env.example` and README show as the default; the empty string means "unset". */
  readonly shown: string;
  /** Its value never appears in a log, an error or a document. */
  readonly secret: boolean;
  /** Reads the text of the variable. Throws a `Misread` whose message never repeats the text. */
  readonly read: (text: string) => T;
  readonly fallback: T;
}

export function setting<T>(group: string, read: Reader<T>, shown: string, doc: string): Setting<T> {
  return { group, doc, shown, secret: read === (secretText as unknown), read, fallback: read(shown) };
}

export function optional<T>(group: string, read: Reader<T>, doc: string): Setting<T | undefined> {
  return { group, doc, shown: '', secret: read === (secretText as unknown), read, fallback: undefined };
}

export function secret<T>(group: string, read: Reader<T>, doc: string): Setting<T | undefined> {
  return { ...optional(group, read, doc), secret: true };
}
