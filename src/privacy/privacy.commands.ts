import { type Command, type CommandOptions, UsageError } from '../common/command.js';
import { operatorOf } from '../common/operator.js';
import { Misread, type Place, place as readPlace } from '../config/setting-readers.js';
import type { ErasureNote } from './erasure-note.js';
import { ErasureNotes } from './erasure-notes.js';
import { ErasureReapplication, type Reapplied } from './erasure-reapplication.js';

const MEANING: Readonly<Record<Reapplied, string>> = {
  erased: 'forgotten again',
  absent: 'whose persons are not known here, and whose tombstones are back',
  known: 'known already',
  held: 'of persons on legal hold: lift it where it is over, and run this again',
  staff: 'of persons who work here: make them clients first, and run this again',
  returned: 'of persons who have come anew since: --returned-too forgets them as well, --keep lets one stay',
  kept: 'that are not done again, because --keep says so',
};
/** What is left for somebody to decide. */
const OPEN: readonly Reapplied[] = ['held', 'staff', 'returned'];

function placeOf({ from }: CommandOptions): Place | undefined {
  if (typeof from !== 'string') return undefined;
  try {
    return readPlace(from);
  } catch (error) {
    if (!(error instanceof Misread)) throw error;
    throw new UsageError(`--from ${error.message}`, { cause: error });
  }
}

function keptOf({ keep }: CommandOptions, notes: readonly ErasureNote[]): Set<string> {
  const ids = typeof keep === 'string' ? keep.split(',').map((id) => id.trim()) : [];
  for (const id of ids)
    if (!notes.some((note) => note.id === id)) throw new UsageError(`--keep names ${id}, of which there is no note`);
  return new Set(ids);
}

/** What persons asked for, in the hands of an operator. */
export const PRIVACY_COMMANDS: readonly Command[] = [
  {
    name: 'privacy:reapply',
    changes: true,
    doc: 'After a restore, before the first start: forgets again whoever was forgotten since the backup, by the notes of ERASURE_NOTES.',
    options: {
      from: {
        type: 'string',
        value: 'PLACE',
        doc: 'a folder, or s3://bucket/folder by the S3_ settings, in place of ERASURE_NOTES',
      },
      'dry-run': { type: 'boolean', doc: 'says what would be done' },
      'none-expected': { type: 'boolean', doc: 'takes it as well that there are no notes: nobody was ever forgotten' },
      keep: {
        type: 'string',
        value: 'ID,…',
        doc: 'erasures that are not done again: their persons stay as they are, on record, and are not asked about any more',
      },
      'returned-too': { type: 'boolean', doc: 'forgets also who has come anew since they were forgotten' },
    },
    async run(app, options, say) {
      const { notes, unreadable } = await app.get(ErasureNotes).read(placeOf(options));
      const counts = new Map<Reapplied, number>();
      const outcomes = app.get(ErasureReapplication).run(operatorOf('privacy:reapply'), notes, {
        isDryRun: options['dry-run'] === true,
        includesReturned: options['returned-too'] === true,
        kept: keptOf(options, notes),
      });
      for await (const [note, outcome] of outcomes) {
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        if (outcome !== 'known') say(`${outcome}: ${note.id} of ${note.requestedAt.toISOString()}`);
      }
      say(`${notes.length} erasures are noted`);
      const isNoPlace = notes.length + unreadable.length === 0 && options['none-expected'] !== true;
      if (isNoPlace)
        say('There are no notes: see that --from or ERASURE_NOTES is the right place, or say --none-expected');
      for (const [outcome, count] of counts) say(`${count} ${MEANING[outcome]}`);
      for (const name of unreadable) say(`unreadable: ${name}`);
      if (unreadable.length > 0)
        say(
          'Unreadable notes were changed, or are signed under a SECRET_KEY that is not at hand: set SECRET_KEY_PREVIOUS',
        );
      return !isNoPlace && unreadable.length === 0 && OPEN.every((outcome) => !counts.has(outcome));
    },
  },
];
