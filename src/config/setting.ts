import { Misread, type Reader, secretText } from './setting-readers.js';

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

/** Settings that there are once for each id of a list: `OIDC_<ID>_ISSUER`, the id in capitals. */
export interface SettingFamily {
  /** What the names of all of them begin with. Any other name that does is a mistake. */
  readonly prefix: string;
  /** The setting that lists the ids. */
  readonly listedIn: string;
  readonly settings: Readonly<Record<string, Setting>>;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The value of a variable, or what the setting falls back to; what is wrong with it is added to the problems. */
export function readSetting<T>(setting: Setting<T>, name: string, environment: Environment, problems: string[]): T {
  const given = environment[name]?.trim();
  if (given === undefined || given === '') return setting.fallback;
  try {
    return setting.read(given);
  } catch (error) {
    if (!(error instanceof Misread)) throw error;
    problems.push(`${name} ${error.message}`);
    return setting.fallback;
  }
}
