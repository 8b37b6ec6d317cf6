import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { type FileKey, fits, LOCAL_KEY_ID } from './file-keys.js';

/** A wrapped data key of some file, to try a key-encryption key with. */
export interface KeySample {
  readonly fileId: string;
  readonly keyId: string;
  /** In base64. */
  readonly wrappedKey: string;
}

/** Finds out, before an instance is filled, whether it will be able to read its files. */
@Injectable()
export class KeyTrialService {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** The ids of the keys that are not in FILE_ENCRYPTION_KEYS, nor the local one given, or are other keys there. */
  missingFor(samples: readonly KeySample[], localKey: string | undefined): string[] {
    const keys: FileKey[] = [...this.config.files.encryption.keys];
    if (localKey !== undefined) keys.push({ id: LOCAL_KEY_ID, key: Buffer.from(localKey.trim(), 'base64') });
    return samples
      .filter(({ fileId, keyId, wrappedKey }) => {
        const found = keys.find(({ id }) => id === keyId);
        return found === undefined || !fits(found, fileId, Buffer.from(wrappedKey, 'base64'));
      })
      .map(({ keyId }) => keyId);
  }
}
