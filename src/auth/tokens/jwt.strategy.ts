import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import type { KeyObject } from 'node:crypto';
import { ExtractJwt, type SecretOrKeyProvider, Strategy } from 'passport-jwt';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';
import { type User, UsersService } from '../../users/users.service.js';
import { hasSecondFactor } from '../factors/second-factor.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { ProvedTokens } from './proved-tokens.js';
import { SigningKeys } from './signing-keys.js';
import { type AccessClaims, formOf, TOKEN_AUDIENCE, TOKEN_ISSUER } from './token-form.js';

const tokenIn = ExtractJwt.fromAuthHeaderAsBearerToken();

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
    private readonly proved: ProvedTokens,
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
      jwtFromRequest: tokenIn,
      secretOrKeyProvider: provideKey,
      algorithms: [config.auth.algorithm],
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
      passReqToCallback: true,
    });
  }

  /** Called by passport with what a token says, once that is proved. Null for whoever may not come in any more. */
  async validate(request: Request, claims: AccessClaims): Promise<SignedIn | null> {
    const token = tokenIn(request);
    if (token !== null) this.proved.add(token, claims, formOf(token)?.keyId);
    return this.admit(claims);
  }

  /** The same without passport, for a token that was proved before; null where passport has to say why not. */
  async recognise(request: Request): Promise<SignedIn | null> {
    const token = tokenIn(request);
    const claims = token === null ? undefined : this.proved.find(token);
    return claims === undefined ? null : this.admit(claims);
  }

  private async admit({ sub, sid }: AccessClaims): Promise<SignedIn | null> {
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
