import { Injectable } from '@nestjs/common';
import { createHmac } from 'node:crypto';
import { ApplicationSecret } from '../common/application-secret.js';

/**
 * What stands for a person who is forgotten: HMAC-SHA256 of the address under a key that follows from SECRET_KEY (RFC 2104). Who
 * has the address and the key finds it again; who has the database alone learns nothing.
 */
@Injectable()
export class PersonKey {
  constructor(private readonly secret: ApplicationSecret) {}

  /** In lower-case hexadecimal. */
  async of(email: string): Promise<string> {
    return hashOf(await this.secret.current(), email);
  }

  /** The same under each secret that is known, the present one first. */
  async allOf(email: string): Promise<string[]> {
    return (await this.secret.all()).map((secret) => hashOf(secret, email));
  }
}

function hashOf(secret: string, email: string): string {
  return createHmac('sha256', `forecourt persons\0${secret}`).update(email).digest('hex');
}
