import { Inject, Injectable } from '@nestjs/common';
import { generateKeyPair, type KeyObject, randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';
import { type PublicAlgorithm, readKeyFile, type SigningKey } from './signing-key.js';

/** A key's file: when it was made, and a few signs so that two of one second differ. */
const FILE = /^((\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[0-9a-f]{8})\.pem$/;
/** Every process that signs reads the folder anew after so long. */
export const READ_AGAIN_AFTER_MS = 10_000;

const generate = promisify(generateKeyPair);

/** A key that others may still hold tokens of. */
export interface OlderKey {
  readonly id: string;
  /** When its last token has expired. */
  readonly expiresAt: Date;
}

/** The keys under DATA_DIR/keys: the latest signs, those before it verify. */
@Injectable()
export class KeyFolder {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** The keys of an algorithm, latest first. Rejects when one cannot be read. */
  async read(algorithm: PublicAlgorithm): Promise<SigningKey[]> {
    const keys = await Promise.all((await this.ids()).map((id) => readKeyFile(id, this.pathOf(id))));
    return keys.filter((key) => key.algorithm === algorithm);
  }

  /** Makes a key, for its owner alone, that signs from now on. Returns its id. */
  async make(algorithm: PublicAlgorithm): Promise<string> {
    const privateKey = await newPrivateKey(algorithm);
    const id = `${await this.nextTime()}-${randomBytes(4).toString('hex')}`;
    await mkdir(this.config.auth.keysDir, { recursive: true, mode: 0o700 });
    const temporary = `${this.pathOf(id)}.new`;
    await writeFile(temporary, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flush: true });
    // whole or not at all: the service reads the folder meanwhile
    await rename(temporary, this.pathOf(id));
    return id;
  }

  /** The keys that another one has taken the place of, latest first. */
  async findOlder(): Promise<OlderKey[]> {
    const ids = await this.ids();
    const longestMs = this.config.auth.accessTokenMinutes * 60_000 + READ_AGAIN_AFTER_MS;
    return ids.slice(1).map((id, index) => ({
      id,
      expiresAt: new Date(madeAt(ids[index] ?? id).getTime() + longestMs),
    }));
  }

  async remove(id: string): Promise<void> {
    await rm(this.pathOf(id));
  }

  /** Now, or a second after the latest key: it must come behind that one whatever the clock did. */
  private async nextTime(): Promise<string> {
    const [latest] = await this.ids();
    const soonest = latest === undefined ? 0 : madeAt(latest).getTime() + 1000;
    const time = new Date(Math.max(this.clock.now().getTime(), soonest));
    return time.toISOString().replace(/[-:]|\.\d+/g, '');
  }

  /** Latest first. */
  private async ids(): Promise<string[]> {
    const names = await readdir(this.config.auth.keysDir).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    });
    return names
      .flatMap((name) => FILE.exec(name)?.[1] ?? [])
      .sort()
      .reverse();
  }

  private pathOf(id: string): string {
    return join(this.config.auth.keysDir, `${id}.pem`);
  }
}

async function newPrivateKey(algorithm: PublicAlgorithm): Promise<KeyObject> {
  const { privateKey } =
    algorithm === 'RS256'
      ? await generate('rsa', { modulusLength: 2048 })
      : await generate('ec', { namedCurve: 'prime256v1' });
  return privateKey;
}

function madeAt(id: string): Date {
  const [, , year, month, day, hour, minute, second] = FILE.exec(`${id}.pem`) ?? [];
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
