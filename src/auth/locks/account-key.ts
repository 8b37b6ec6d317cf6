import { Injectable } from '@nestjs/common';
import { createHmac } from 'node:crypto';
import { ApplicationSecret } from '../../common/application-secret.js';

/**
 * Keyed hashes of what must be found again but not be readable in the database: names that were tried, addresses that
 * sign-ins came from. The key follows from SECRET_KEY; with another one, what was counted before is not found again.
 */
@Injectable()
export class AccountKey {
  constructor(private readonly secret: ApplicationSecret) {}

  /** 32 bytes. The same text of another kind has another hash. */
  async hash(kind: 'account' | 'source' | 'name', text: string): Promise<Buffer> {
    return createHmac('sha256', `forecourt sign-in locks\0${await this.secret.current()}`)
      .update(`${kind}\0${text}`)
      .digest();
  }
}
