import type { Config, Place } from '../config/config.js';
import { NoteFolder } from './note-folder.js';
import type { NotePlace } from './note-place.js';

/** The place that ERASURE_NOTES or `--from` names; its store is that of the S3_ settings. */
export async function notePlaceAt(place: Place, config: Config): Promise<NotePlace> {
  if (place.kind === 'folder') return new NoteFolder(place.path);
  const { NoteBucket } = await import('./note-bucket.js');
  return new NoteBucket(config.backup.s3, place.bucket, place.prefix);
}
