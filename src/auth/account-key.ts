import { Inject, Injectable } from '@nestjs/common';
import { createHmac } from 'node:crypto';
import { CONFIG, type Config } from '../config/config.js';
import { developmentSecret } from './signing-keys.js';

/**
 * Keyed hashes of what must be found again but not be readable in the database: names that were tried, addresses that
 * sign-ins came from. The key follows from SECRET_KEY; with another one, what was counted before is not found again.
 */
@Injectable()
export class AccountKey {
  private secret: Promise<string> | undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** 32 bytes. The same text of another kind has another hash. */
  async hash(kind: 'account' | 'source', text: string): Promise<Buffer> {
    this.secret ??= this.read();
    return createHmac('sha256', `forecourt sign-in locks\0${await this.secret}`)
      .update(`${kind}\0${text}`)
      .digest();
  }

  private async read(): Promise<string> {
    return this.config.auth.secretKey ?? (await developmentSecret(this.config.dataDir));
  }
}
