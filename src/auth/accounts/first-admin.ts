import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOGGER } from '../../common/logging.js';
import { CONFIG, type Config } from '../../config/config.js';
import { Database } from '../../database/database.js';
import { exclusively } from '../../database/locks.js';
import { Transactions } from '../../database/transactions.js';
import { UserEmailTaken, UsernameTaken } from '../../users/users.errors.js';
import { UsersService } from '../../users/users.service.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordPolicy } from '../passwords/password-policy.js';
import { randomPassword } from '../passwords/random-password.js';
import { FIRST_ACCOUNT } from '../permissions.js';
import { SingleSignOn } from '../single-sign-on.js';
import { AccountsService } from './accounts.service.js';

const ACTOR = { kind: 'system', name: 'first-admin' } as const;

/** Makes the first account, a superadmin, when there is none, so that somebody can let the others in. */
@Injectable()
export class FirstAdmin implements OnApplicationBootstrap {
  /** The random password of an admin that this start made; for the greeting, once. */
  newPassword: string | undefined;

  constructor(
    private readonly users: UsersService,
    private readonly accounts: AccountsService,
    private readonly hasher: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly singleSignOn: SingleSignOn,
    private readonly transactions: Transactions,
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await exclusively(this.database, 'first-admin', () => this.make());
    await this.singleSignOn.requireWayIn();
  }

  private async make(): Promise<void> {
    if (await this.transactions.run((tx) => this.users.hasSuperadmin(tx))) return;
    const { username, email, password } = this.config.admin;
    if (password === undefined && this.config.isProduction) {
      this.logger.warn({ logger: 'auth' }, 'there is no superadmin: set ADMIN_PASSWORD and start again');
      return;
    }
    const faults = password === undefined ? [] : this.policy.faultsOf(password, { username, email });
    if (faults.length > 0 && this.config.isProduction) throw new Error(`ADMIN_PASSWORD: ${faults.join('; ')}`);
    const chosen = password ?? randomPassword(this.config.auth.minPasswordLength);
    const hashedPassword = await this.hasher.hash(chosen);
    try {
      await this.transactions.run((tx) =>
        this.accounts.add(tx, ACTOR, { username, email, hashedPassword, role: FIRST_ACCOUNT }),
      );
    } catch (error) {
      if (!(error instanceof UsernameTaken || error instanceof UserEmailTaken)) throw error;
      // somebody disabled or demoted them past the service; that is no reason not to serve the others
      this.logger.warn({ logger: 'auth' }, 'there is no active superadmin, and ADMIN_USERNAME or ADMIN_EMAIL is taken');
      return;
    }
    if (password === undefined) this.newPassword = chosen;
  }
}
