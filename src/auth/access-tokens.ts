import { Inject, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { Clock } from '../common/clock.js';
import { CONFIG, type Config } from '../config/config.js';
import { SigningKeys } from './signing-keys.js';

export const TOKEN_ISSUER = 'forecourt';
export const TOKEN_AUDIENCE = 'forecourt-api';
export const ACCESS_TOKEN_TYPE = 'access';

/** What an access token says (RFC 7519). Times in seconds since 1970. */
export interface AccessClaims {
  readonly sub: string;
  readonly username: string;
  readonly type: string;
  readonly iat: number;
  readonly exp: number;
}

@Injectable()
export class AccessTokens {
  constructor(
    private readonly jwt: JwtService,
    private readonly keys: SigningKeys,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  get lifetimeSeconds(): number {
    return this.config.auth.accessTokenMinutes * 60;
  }

  async issue(user: { readonly id: string; readonly username: string }): Promise<string> {
    const iat = Math.floor(this.clock.now().getTime() / 1000);
    const claims: AccessClaims = {
      sub: user.id,
      username: user.username,
      type: ACCESS_TOKEN_TYPE,
      iat,
      exp: iat + this.lifetimeSeconds,
    };
    const { id, key } = this.keys.current;
    return this.jwt.signAsync(claims, {
      privateKey: key,
      algorithm: this.config.auth.algorithm,
      keyid: id,
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
    });
  }
}
