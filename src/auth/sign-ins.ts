import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import type { Actor } from '../common/actor.js';
import { LOGGER } from '../common/logging.js';
import { type Tx, whenCommitted } from '../database/transactions.js';
import { type User, UsersService } from '../users/users.service.js';
import { type SignInResponse, toSignInResponse } from './auth.dto.js';
import { FactorsService } from './factors/factors.service.js';
import { type SignInChallenge, SignInChallenges } from './factors/sign-in-challenges.js';
import type { Client } from './sessions/client.js';
import { type Grant, SessionsService } from './sessions/sessions.service.js';
import { SignInMetrics } from './sign-in.metrics.js';
import { SignInRecords } from './sign-in-records.js';
import { SingleSignOn } from './single-sign-on.js';
import { AccessTokens } from './tokens/access-tokens.js';

/** How somebody proved to be the owner of an account. */
export type SignInMethod = 'password' | 'magic_link' | 'openid' | 'passkey';

/** What a proof is worth: a session, or the question for a second factor. For {@link SignIns.answerTo} alone to look into. */
export type SignInResult = Grant | SignInChallenge;

/** A passkey proves possession of a device and that it knows its user, so nothing has to follow. */
const WHOLE_BY_THEMSELVES: ReadonlySet<SignInMethod> = new Set(['passkey']);

/** Where every way to sign in ends: what a proof gives to its client, and the record of it. */
@Injectable()
export class SignIns {
  private readonly logger: Logger;

  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly factors: FactorsService,
    private readonly challenges: SignInChallenges,
    private readonly singleSignOn: SingleSignOn,
    private readonly records: SignInRecords,
    private readonly tokens: AccessTokens,
    private readonly metrics: SignInMetrics,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'auth' });
  }

  /**
   * Signs in the owner of an account, or asks for a second factor where the account has one; on record or not at all. Null when
   * the account was disabled, or its sessions ended, after it was read, and when its role must come from a provider.
   */
  async complete(tx: Tx, actor: Actor, client: Client, user: User, method: SignInMethod): Promise<SignInResult | null> {
    // locks the account, so that a factor that is added meanwhile is either seen here or ends what begins here
    if (!(await this.users.isUnchanged(tx, user))) return null;
    if (method !== 'openid' && !this.singleSignOn.admitsPastProvider(user)) return null;
    const methods = WHOLE_BY_THEMSELVES.has(method) ? [] : await this.factors.findMethods(tx, user.id);
    if (methods.length > 0) {
      whenCommitted(tx, () => {
        this.metrics.count(method, 'challenged');
      });
      return this.challenges.issue(tx, actor, client, { user, method, methods });
    }
    return this.begin(tx, actor, client, user, [method]);
  }

  /** A session for whoever has proved enough, on record or not at all. Null as above. */
  async begin(tx: Tx, actor: Actor, client: Client, user: User, methods: readonly string[]): Promise<Grant | null> {
    const grant = await this.sessions.begin(tx, actor, user, client, methods);
    if (grant === null) return null;
    whenCommitted(tx, () => {
      this.metrics.count(methods[0] ?? '', 'succeeded');
    });
    await this.records.succeeded(tx, actor, user, { methods, sessionId: grant.session.id });
    if (!methods.includes('openid')) await this.singleSignOn.noteIfBreakGlass(tx, actor, user);
    return grant;
  }

  /** After the commit. */
  async answerTo(result: SignInResult): Promise<SignInResponse> {
    if ('challengeToken' in result) return toSignInResponse(result);
    const { user, session } = result;
    this.logger.info({ ip: session.ip, user_id: user.id, session_id: session.id }, 'signed in');
    return this.tokens.answerTo(result);
  }
}
