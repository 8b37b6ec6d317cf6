import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { type Actor, ipOf } from '../common/actor.js';
import { LOGGER } from '../common/logging.js';
import { CONFIG, type Config } from '../config/config.js';
import { Transactions } from '../database/transactions.js';
import { type User, UsersService } from '../users/users.service.js';
import { AccountsService } from './accounts/accounts.service.js';
import type { RegisterRequest, SignInResponse, TokenResponse } from './auth.dto.js';
import { InvalidCredentials, InvalidToken } from './auth.errors.js';
import { FactorsService } from './factors/factors.service.js';
import { LinkRequests } from './links/link-requests.js';
import { EmailNotVerified } from './links/links.errors.js';
import { SignInLocks } from './locks/sign-in-locks.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { PasswordPolicy } from './passwords/password-policy.js';
import { PasswordRehash } from './passwords/password-rehash.js';
import { REGISTERED_AS } from './permissions.js';
import type { Client } from './sessions/client.js';
import { SessionRefresh } from './sessions/session-refresh.js';
import { SignInRecords } from './sign-in-records.js';
import { SignIns } from './sign-ins.js';
import { SingleSignOn } from './single-sign-on.js';
import { AccessTokens } from './tokens/access-tokens.js';

@Injectable()
export class AuthService {
  private readonly logger: Logger;

  constructor(
    private readonly users: UsersService,
    private readonly hasher: PasswordHasher,
    private readonly tokens: AccessTokens,
    private readonly records: SignInRecords,
    private readonly signIns: SignIns,
    private readonly factors: FactorsService,
    private readonly refreshes: SessionRefresh,
    private readonly policy: PasswordPolicy,
    private readonly locks: SignInLocks,
    private readonly singleSignOn: SingleSignOn,
    private readonly rehash: PasswordRehash,
    private readonly accounts: AccountsService,
    private readonly links: LinkRequests,
    private readonly transactions: Transactions,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'auth' });
  }

  /**
   * Tokens of a new session for the right password, or the question for a second factor. Throws `InvalidCredentials` in the
   * same words and after the same work for an unknown name, a wrong password, a disabled account, one that is locked to the
   * caller and one that must come from a provider; `EmailNotVerified` to nobody who does not know the password.
   */
  async signIn(actor: Actor, client: Client, name: string, password: string): Promise<SignInResponse> {
    const user = await this.users.findForSignIn(name);
    const matches = await this.hasher.matches(password, user?.hashedPassword);
    const isRight = user !== null && matches && user.isActive && this.singleSignOn.admitsPastProvider(user);
    // what failed before is forgiven by the last step only, or a code could be guessed for ever
    const isLastStep = !isRight || !(await this.factors.isEnrolled(user.id));
    const isAdmitted = await this.locks.decide(actor, { name, user, isRight, isLastStep });
    if (user?.emailVerifiedAt === null && isAdmitted && !this.config.auth.allowUnverifiedSignIn) {
      await this.records.refused(actor, user, name);
      throw new EmailNotVerified();
    }
    const result =
      user !== null && isAdmitted
        ? await this.transactions.run(actor, (tx) => this.signIns.complete(tx, actor, client, user, 'password'))
        : null;
    if (user === null || result === null) {
      this.logger.warn({ ip: ipOf(actor) }, 'a sign-in was refused');
      await this.records.refused(actor, user, name);
      throw new InvalidCredentials();
    }
    this.rehash.begin(user, password);
    return this.signIns.answerTo(result);
  }

  /** The tokens that follow a refresh token. Throws `InvalidRefreshToken`. */
  async refresh(actor: Actor, client: Client, refreshToken: string): Promise<TokenResponse> {
    return this.tokens.answerTo(await this.refreshes.refresh(actor, client, refreshToken));
  }

  /**
   * A new attorney; one who registered without an admin is mailed a link that verifies the address. Throws `UsernameTaken`,
   * `UserEmailTaken`, or `UnprocessableFields` for a password that may not be chosen.
   */
  async register(
    actor: Actor,
    { username, email, password }: RegisterRequest,
    languages: readonly string[],
  ): Promise<User> {
    this.policy.require(password, { username, email });
    const hashedPassword = await this.hasher.hash(password);
    const isEmailVerified = actor.kind !== 'anonymous';
    return this.transactions.run(actor, async (tx) => {
      const account = { username, email, hashedPassword, role: REGISTERED_AS, isEmailVerified };
      const user = await this.accounts.add(tx, actor, account);
      if (!isEmailVerified) await this.links.owe(tx, { purpose: 'verify_email', email, languages });
      return user;
    });
  }

  /** The caller's own account. */
  async getOwnAccount(actor: Actor): Promise<User> {
    const user = actor.kind === 'user' ? await this.users.findKnown(actor.id) : null;
    if (user === null) throw new InvalidToken();
    return user;
  }
}
