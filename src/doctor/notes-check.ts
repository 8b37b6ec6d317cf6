import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import type { Config } from '../config/config.js';
import { isWithinFolder } from '../config/paths.js';
import { notePlaceAt } from '../privacy/note-places.js';
import { type Finding, fine, wordsOf, warning } from './finding.js';
import { exists, nearestFolder } from './folders.js';

/** Whether the notes of erasures can be read, and those to come can be written where that shows without writing one. */
export async function checkNotes(config: Config): Promise<readonly Finding[]> {
  const place = config.privacy.erasureNotes;
  try {
    const { length } = await (await notePlaceAt(place, config)).names();
    if (place.kind === 'folder') await access(await nearestFolder(place.path), constants.W_OK | constants.X_OK);
    if (place.kind === 'folder' && !(await exists(place.path)))
      return [fine('erasure notes', 'the folder is not there yet; the first erasure makes it')];
    if (config.isProduction && place.kind === 'folder' && isWithinFolder(place.path, config.dataDir))
      return [
        warning(
          'erasure notes',
          'they lie in DATA_DIR, and are lost with it',
          'Set ERASURE_NOTES to a folder of another disk, or to a bucket with object lock',
        ),
      ];
    return [fine('erasure notes', `${length} ${length === 1 ? 'is' : 'are'} kept`)];
  } catch (error) {
    return [
      warning(
        'erasure notes',
        wordsOf(error),
        place.kind === 'folder'
          ? 'Make ERASURE_NOTES a folder that the user of Forecourt may write: without notes erased persons come back with a backup'
          : 'Correct ERASURE_NOTES and the S3_ settings; the key must be allowed to put, get and list objects there',
      ),
    ];
  }
}
