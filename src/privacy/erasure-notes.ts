import { Inject, Injectable } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import { ApplicationSecret } from '../common/application-secret.js';
import { CONFIG, type Config, type Place } from '../config/config.js';
import { type ErasureNote, erasureIdOf, noteNameOf, readNote, writeNote } from './erasure-note.js';
import { ErasuresRepository } from './erasures.repository.js';
import type { NotePlace } from './note-place.js';
import { notePlaceAt } from './note-places.js';

const AT_A_TIME = 500;

export interface ReadNotes {
  /** Oldest first. */
  readonly notes: readonly ErasureNote[];
  /** Names of those that were changed, or are signed under a SECRET_KEY that is not at hand. */
  readonly unreadable: readonly string[];
}

/**
 * What is known of erasures outside of the database: one note for each, in the place that ERASURE_NOTES names. A database that
 * was restored from before an erasure knows nothing of it.
 */
@Injectable()
export class ErasureNotes {
  constructor(
    private readonly erasures: ErasuresRepository,
    private readonly secret: ApplicationSecret,
    private readonly alerts: AlertsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Doing it twice does no harm: the second note is the first. */
  async keep(erasure: ErasureNote): Promise<void> {
    await this.keepIn(await this.placeAt(), erasure);
  }

  /**
   * The job: notes down what is not noted, as after ERASURE_NOTES was changed, and tells operators of notes that the database does
   * not know: it was restored, and whom they are about is back. Running it twice does no harm.
   */
  async compare(): Promise<void> {
    const place = await this.placeAt();
    const noted = idsOf(await place.names());
    const missing = new Set(noted);
    for await (const erasure of this.known()) {
      missing.delete(erasure.id);
      if (!noted.has(erasure.id)) await this.keepIn(place, erasure);
    }
    if (missing.size === 0) return;
    // those of the last moments: their rows came after the rows were read
    const unknown = await this.erasures.unknownOf([...missing]);
    if (unknown.length === 0) return;
    await this.alerts.raiseAlone({
      cause: 'privacy.erasures_undone',
      summary:
        'The database does not know of erasures that there were: whoever was forgotten is back until privacy:reapply',
      details: { erasures: unknown.length },
    });
  }

  /** `from`: the place of ERASURE_NOTES unless given. */
  async read(from?: Place): Promise<ReadNotes> {
    const place = await this.placeAt(from);
    const secrets = await this.secret.all();
    const [notes, unreadable]: [ErasureNote[], string[]] = [[], []];
    for (const name of (await place.names()).sort()) {
      const id = erasureIdOf(name);
      if (id === undefined) continue;
      const note = readNote(await place.get(name), id, secrets);
      if (note === undefined) unreadable.push(name);
      else notes.push(note);
    }
    notes.sort((one, other) => one.requestedAt.getTime() - other.requestedAt.getTime());
    return { notes, unreadable };
  }

  private async *known(): AsyncGenerator<ErasureNote> {
    let after: string | undefined;
    for (;;) {
      const some = await this.erasures.listAfter(after, AT_A_TIME);
      yield* some;
      if (some.length < AT_A_TIME) return;
      after = some.at(-1)?.id;
    }
  }

  private async keepIn(place: NotePlace, erasure: ErasureNote): Promise<void> {
    await place.put(noteNameOf(erasure.id), writeNote(erasure, await this.secret.current()));
  }

  private placeAt(place: Place = this.config.privacy.erasureNotes): Promise<NotePlace> {
    return notePlaceAt(place, this.config);
  }
}

function idsOf(names: readonly string[]): Set<string> {
  return new Set(names.map(erasureIdOf).filter((id) => id !== undefined));
}
