import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { createHash, createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONFIG, type Config } from '../config/config.js';

interface SigningKey {
  readonly id: string;
  readonly key: KeyObject;
}

/**
 * The keys of access tokens: one that signs, and for a while the one before it, told apart by the token's `kid`. Kept as
 * key objects, because verifying with a plain string costs fifty times as much.
 */
@Injectable()
export class SigningKeys implements OnModuleInit {
  private keys: readonly SigningKey[] = [];

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  async onModuleInit(): Promise<void> {
    const { secretKey, previousSecretKey } = this.config.auth;
    const secrets = [secretKey ?? (await developmentSecret(this.config.dataDir)), previousSecretKey];
    this.keys = secrets.filter((secret) => secret !== undefined).map(toSigningKey);
  }

  get current(): SigningKey {
    const [current] = this.keys;
    if (current === undefined) throw new Error('the signing keys are not loaded yet');
    return current;
  }

  /** A hash of a text that nobody without the current key can make: for what may be compared but not be read. */
  blind(purpose: string, text: string): string {
    return createHmac('sha256', this.current.key).update(`${purpose}\0${text}`).digest('hex').slice(0, 32);
  }

  /** The key of this id; without an id, as older tokens are, the current one. */
  find(id: string | undefined): KeyObject | undefined {
    return id === undefined ? this.current.key : this.keys.find((each) => each.id === id)?.key;
  }
}

function toSigningKey(secret: string): SigningKey {
  return {
    id: createHash('sha256').update(`kid:${secret}`).digest('hex').slice(0, 12),
    key: createSecretKey(Buffer.from(secret)),
  };
}

/** Made once and kept for its owner alone, so that tokens of development survive a restart. */
async function developmentSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, 'secret-key');
  await mkdir(dataDir, { recursive: true });
  try {
    await writeFile(path, `${randomBytes(48).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return (await readFile(path, 'utf8')).trim();
}
