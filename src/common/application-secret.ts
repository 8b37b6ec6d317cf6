import { Inject, Injectable } from '@nestjs/common';
import { join } from 'node:path';
import { CONFIG, type Config } from '../config/config.js';
import { keptSecret } from './kept-secret.js';

const SECRET_BYTES = 48;

/** SECRET_KEY, or where none is needed (development) one of this machine, so that what it signed survives a restart. */
@Injectable()
export class ApplicationSecret {
  private read: Promise<string> | undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  async current(): Promise<string> {
    this.read ??= this.config.auth.secretKey === undefined ? this.kept() : Promise.resolve(this.config.auth.secretKey);
    return this.read;
  }

  /** The current one first, then SECRET_KEY_PREVIOUS. */
  async all(): Promise<readonly string[]> {
    const { previousSecretKey } = this.config.auth;
    const current = await this.current();
    return previousSecretKey === undefined ? [current] : [current, previousSecretKey];
  }

  private kept(): Promise<string> {
    return keptSecret(join(this.config.dataDir, 'secret-key'), SECRET_BYTES);
  }
}
