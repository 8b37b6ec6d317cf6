/** Somewhere outside of the database. */
export interface NotePlace {
  /** How operators know it. */
  readonly name: string;
  /** Keeps a short text under a name, whole or not at all; in place of what was there. Durable when it resolves. */
  put(name: string, text: string): Promise<void>;
  /** All names, in no order; of a place that is not there yet none. */
  names(): Promise<string[]>;
  /** Throws when there is none of that name. */
  get(name: string): Promise<string>;
}
