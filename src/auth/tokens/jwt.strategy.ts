import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { KeyObject } from 'node:crypto';
import { ExtractJwt, type SecretOrKeyProvider, Strategy } from 'passport-jwt';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';
import { type User, UsersService } from '../../users/users.service.js';
import { hasSecondFactor } from '../factors/second-factor.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { SigningKeys } from './signing-keys.js';
import { type AccessClaims, formOf, TOKEN_AUDIENCE, TOKEN_ISSUER } from './token-form.js';

/** Whose token it was, and of which sign-in. */
export interface SignedIn {
  readonly user: User;
  /** Undefined for a token from before there were sessions. */
  readonly sessionId: string | undefined;
  /** Whether the role needs a second factor and the sign-in had none: then there is little that it opens. */
  readonly lacksFactor: boolean;
}

/**
 * Turns a bearer token into its user. The algorithm is that of the key, and issuer, audience and type are pinned (RFC 8725,
 * 3.1, 3.8, 3.11); the session must go on and the user still be active.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    keys: SigningKeys,
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly clock: Clock,
  ) {
    const provideKey: SecretOrKeyProvider = (_request, token: string, done) => {
      keyFor(token, keys)
        .then((key) => {
          // without an error and without a key jsonwebtoken stumbles over an unsigned token
          if (key === undefined) done(new Error('the token is none of ours'));
          // jsonwebtoken takes a key object; the types of passport-jwt do not know it yet
          else done(null, key as unknown as Buffer);
        })
        .catch(done);
    };
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider: provideKey,
      algorithms: [config.auth.algorithm],
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
    });
  }

  /** Null for whoever may not come in any more. */
  async validate({ sub, sid }: AccessClaims): Promise<SignedIn | null> {
    const [user, session] = await Promise.all([
      this.users.findKnown(sub),
      sid === undefined ? undefined : this.sessions.findKnown(sid),
    ]);
    if (user?.isActive !== true) return null;
    // a token from before there were sessions is good until something ends all of them
    const isGood = session === undefined ? user.sessionEpoch === 0 : session?.isLive(user, this.clock.now()) === true;
    if (!isGood) return null;
    const isFactorDue = this.config.auth.secondFactorRequiredFor.includes(user.role);
    return { user, sessionId: sid, lacksFactor: isFactorDue && !hasSecondFactor(session?.methods ?? []) };
  }
}

/** The key that a token of this form must be signed with; undefined when it can be none of ours. */
async function keyFor(token: string, keys: SigningKeys): Promise<KeyObject | undefined> {
  const form = formOf(token);
  if (form === undefined) return undefined;
  const key = keys.find(form.keyId) ?? (await keys.findAgain(form.keyId));
  return key?.algorithm === form.algorithm ? key.verifiesWith : undefined;
}
