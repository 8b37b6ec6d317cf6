import type { Announcements } from './announcements.js';

/** How long a row is believed at most, should an announcement be lost. */
const BELIEVED_FOR_MS = 1000;
const MOST_ROWS = 10_000;

/**
 * The rows of the last moment, so that a request need not ask the database for what the one before it read. The database
 * announces every change, by whatever way it was made, and the row is forgotten at once; while nobody listens, nothing is
 * kept.
 */
export class KnownRows<Row extends object> {
  private readonly known = new Map<string, { readonly row: Row | null; readonly until: number }>();
  private changes = 0;

  constructor(
    private readonly announcements: Announcements,
    channel: string,
    private readonly load: (id: string) => Promise<Row | null>,
  ) {
    announcements.hear(channel, (id) => {
      this.forget(id);
    });
  }

  async find(id: string): Promise<Row | null> {
    const entry = this.known.get(id);
    if (entry !== undefined && entry.until > performance.now()) return entry.row;
    const changesBefore = this.changes;
    const row = await this.load(id);
    // a change that was announced while the row was on its way may not be in it
    if (this.announcements.isListening && this.changes === changesBefore) {
      if (this.known.size >= MOST_ROWS) this.known.clear();
      this.known.set(id, { row, until: performance.now() + BELIEVED_FOR_MS });
    }
    return row;
  }

  /** For a change that this process has just made: its own announcement may be a moment late. Without an id, all. */
  forget(id: string | undefined): void {
    this.changes += 1;
    if (id === undefined) this.known.clear();
    else this.known.delete(id);
  }
}
