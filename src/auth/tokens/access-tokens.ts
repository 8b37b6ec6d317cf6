import { Inject, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { randomUUID } from 'node:crypto';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { TokenResponse } from '../auth.dto.js';
import { amrOf } from '../factors/second-factor.js';
import type { Grant } from '../sessions/sessions.service.js';
import { SigningKeys } from './signing-keys.js';
import {
  ACCESS_TOKEN_HEADER_TYPE,
  ACCESS_TOKEN_TYPE,
  type AccessClaims,
  TOKEN_AUDIENCE,
  TOKEN_ISSUER,
} from './token-form.js';

/** Access tokens: JWTs as RFC 9068 has them, save its client_id, because there are no registered clients. */
@Injectable()
export class AccessTokens {
  constructor(
    private readonly jwt: JwtService,
    private readonly keys: SigningKeys,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The tokens of a sign-in or a refresh. The access token never outlives its session. */
  async answerTo({ user, session, refreshToken, refreshExpiresAt }: Grant): Promise<TokenResponse> {
    const iat = secondsOf(this.clock.now());
    const exp = Math.min(iat + this.config.auth.accessTokenMinutes * 60, secondsOf(session.expiresAt));
    const claims: AccessClaims & {
      readonly email: string;
      readonly role: string;
      readonly sid: string;
      readonly amr: string[];
    } = {
      sub: user.id,
      username: user.username,
      email: user.email,
      role: user.role,
      type: ACCESS_TOKEN_TYPE,
      sid: session.id,
      amr: amrOf(session.methods),
      iat,
      exp,
    };
    return {
      access_token: await this.sign(claims),
      token_type: 'bearer',
      expires_in: exp - iat,
      refresh_token: refreshToken,
      refresh_expires_in: Math.max(0, secondsOf(refreshExpiresAt) - iat),
    };
  }

  private async sign(claims: AccessClaims): Promise<string> {
    const { id, algorithm, signsWith } = this.keys.current;
    return this.jwt.signAsync(claims, {
      privateKey: signsWith,
      algorithm,
      header: { alg: algorithm, typ: ACCESS_TOKEN_HEADER_TYPE, kid: id },
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
      jwtid: randomUUID(),
    });
  }
}

function secondsOf(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}
