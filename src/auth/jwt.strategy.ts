import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, type SecretOrKeyProvider, Strategy } from 'passport-jwt';
import { CONFIG, type Config } from '../config/config.js';
import { type User, UsersService } from '../users/users.service.js';
import { ACCESS_TOKEN_TYPE, type AccessClaims, TOKEN_AUDIENCE, TOKEN_ISSUER } from './access-tokens.js';
import { SigningKeys } from './signing-keys.js';

/**
 * Turns a bearer token into its user. Algorithm, issuer and audience are pinned (RFC 8725, 3.1 and 3.8); the user must
 * still exist and be active.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor(
    @Inject(CONFIG) config: Config,
    keys: SigningKeys,
    private readonly users: UsersService,
  ) {
    const provideKey: SecretOrKeyProvider = (_request, token: string, done) => {
      // jsonwebtoken takes a key object; the types of passport-jwt do not know it yet
      done(null, keys.find(keyIdOf(token)) as unknown as Buffer | undefined);
    };
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider: provideKey,
      algorithms: [config.auth.algorithm],
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
    });
  }

  /** The user, or null for a token of another kind and for whoever may not come in any more. */
  async validate(claims: AccessClaims): Promise<User | null> {
    if (claims.type !== ACCESS_TOKEN_TYPE || typeof claims.sub !== 'string' || !UUID.test(claims.sub)) return null;
    const user = await this.users.findKnown(claims.sub);
    return user?.isActive === true ? user : null;
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The key id that a token's header names; undefined when it names none or is no header at all. */
function keyIdOf(token: string): string | undefined {
  try {
    const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as {
      kid?: unknown;
    } | null;
    return typeof header?.kid === 'string' ? header.kid : undefined;
  } catch {
    return undefined;
  }
}
