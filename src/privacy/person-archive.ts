import { PassThrough, type Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import type { PersonalFile } from '../persons/persons.service.js';

/**
 * A ZIP with what is known of somebody: `person.json`, and `files/` with their files as they were uploaded. Files are opened when
 * their turn comes, and never held whole. What goes wrong on the way ends the stream with that error.
 */
export function archiveOf(json: string, madeAt: Date, files: readonly PersonalFile[]): Readable {
  const zip = new ZipFile();
  const output = new PassThrough();
  zip.on('error', (error: Error) => {
    output.destroy(error);
  });
  zip.addBuffer(Buffer.from(json), 'person.json', { mtime: madeAt });
  for (const file of files) {
    // documents are packed already
    const options = { mtime: file.createdAt, compress: false, size: file.sizeBytes };
    zip.addReadStreamLazy(`files/${file.name}`, options, (give) => {
      file.open().then(
        (stream) => {
          output.once('close', () => stream.destroy());
          give(null, stream);
        },
        (error: unknown) => {
          output.destroy(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }
  zip.end();
  (zip.outputStream as Readable).pipe(output);
  return output;
}
