import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { type Actor, ipOf } from '../common/actor.js';
import { LOGGER } from '../common/logging.js';
import { CONFIG, type Config } from '../config/config.js';
import { Transactions, type Tx } from '../database/transactions.js';
import { Role } from '../users/role.js';
import { type User, UsersService } from '../users/users.service.js';
import { AccessTokens } from './access-tokens.js';
import type { RegisterRequest, TokenResponse } from './auth.dto.js';
import { InvalidCredentials, InvalidToken } from './auth.errors.js';
import type { Client } from './client.js';
import { PasswordHasher } from './password-hasher.js';
import { requireComplexity } from './password-rules.js';
import { SignInRecords } from './sign-in-records.js';
import { SessionRefresh } from './session-refresh.js';
import { SessionsService } from './sessions.service.js';

@Injectable()
export class AuthService {
  private readonly logger: Logger;

  constructor(
    private readonly users: UsersService,
    private readonly hasher: PasswordHasher,
    private readonly tokens: AccessTokens,
    private readonly records: SignInRecords,
    private readonly sessions: SessionsService,
    private readonly refreshes: SessionRefresh,
    private readonly transactions: Transactions,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'auth' });
  }

  /**
   * Tokens of a new session for the right password. Throws `InvalidCredentials` in the same words and after the same work for an
   * unknown name, a wrong password and a disabled account.
   */
  async signIn(actor: Actor, client: Client, name: string, password: string): Promise<TokenResponse> {
    const user = await this.users.findForSignIn(name);
    const matches = await this.hasher.matches(password, user?.hashedPassword);
    const isLetIn = user !== null && matches && user.isActive;
    const grant = isLetIn ? await this.transactions.run((tx) => this.begin(tx, actor, client, user)) : null;
    if (grant === null) {
      this.logger.warn({ ip: ipOf(actor) }, 'a sign-in was refused');
      await this.records.refused(actor, user, name);
      throw new InvalidCredentials();
    }
    this.logger.info({ ip: ipOf(actor), user_id: grant.user.id, session_id: grant.session.id }, 'signed in');
    return this.tokens.answerTo(grant);
  }

  /** A session and its record, or neither. */
  private async begin(tx: Tx, actor: Actor, client: Client, user: User): ReturnType<SessionsService['begin']> {
    const grant = await this.sessions.begin(tx, actor, user, client);
    if (grant !== null) await this.records.succeeded(tx, actor, grant.user, grant.session.id);
    return grant;
  }

  /** The tokens that follow a refresh token. Throws `InvalidRefreshToken`. */
  async refresh(actor: Actor, client: Client, refreshToken: string): Promise<TokenResponse> {
    return this.tokens.answerTo(await this.refreshes.refresh(actor, client, refreshToken));
  }

  /** A new attorney. Throws `UsernameTaken`, `UserEmailTaken`, or `InvalidFields` for a password that is too simple. */
  async register(actor: Actor, request: RegisterRequest): Promise<User> {
    const { username, email, password } = request;
    if (this.config.auth.requireComplexPasswords) requireComplexity(password);
    const hashedPassword = await this.hasher.hash(password);
    const account = { username, email, hashedPassword, role: Role.Attorney };
    return this.transactions.run((tx) => this.users.add(tx, actor, account));
  }

  /** The caller's own account. */
  async getOwnAccount(actor: Actor): Promise<User> {
    const user = actor.kind === 'user' ? await this.users.findKnown(actor.id) : null;
    if (user === null) throw new InvalidToken();
    return user;
  }
}
