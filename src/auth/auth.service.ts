import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import type { Actor } from '../common/actor.js';
import { LOGGER } from '../common/logging.js';
import { CONFIG, type Config } from '../config/config.js';
import { Transactions } from '../database/transactions.js';
import { Role } from '../users/role.js';
import { type User, UsersService } from '../users/users.service.js';
import { AccessTokens } from './access-tokens.js';
import type { RegisterRequest, TokenResponse } from './auth.dto.js';
import { InvalidCredentials, InvalidToken } from './auth.errors.js';
import { PasswordHasher } from './password-hasher.js';
import { requireComplexity } from './password-rules.js';
import { SignInRecords } from './sign-in-records.js';

@Injectable()
export class AuthService {
  private readonly logger: Logger;

  constructor(
    private readonly users: UsersService,
    private readonly hasher: PasswordHasher,
    private readonly tokens: AccessTokens,
    private readonly records: SignInRecords,
    private readonly transactions: Transactions,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'auth' });
  }

  /**
   * An access token for the right password. Throws `InvalidCredentials` in the same words and after the same work for an
   * unknown name, a wrong password and a disabled account.
   */
  async signIn(actor: Actor, name: string, password: string): Promise<TokenResponse> {
    const user = await this.users.findForSignIn(name);
    const matches = await this.hasher.matches(password, user?.hashedPassword);
    if (user === null || !matches || !user.isActive) {
      this.logger.warn({ ip: ipOf(actor) }, 'a sign-in was refused');
      await this.records.refused(actor, user, name);
      throw new InvalidCredentials();
    }
    const token = await this.tokens.issue(user);
    await this.records.succeeded(actor, user);
    this.logger.info({ ip: ipOf(actor), user_id: user.id }, 'signed in');
    return {
      access_token: token,
      token_type: 'bearer',
      expires_in: this.tokens.lifetimeSeconds,
    };
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

function ipOf(actor: Actor): string | undefined {
  return actor.kind === 'system' ? undefined : actor.ip;
}
