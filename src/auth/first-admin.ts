import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { LOGGER } from '../common/logging.js';
import { CONFIG, type Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { exclusively } from '../database/locks.js';
import { Transactions } from '../database/transactions.js';
import { Role } from '../users/role.js';
import { UsersService } from '../users/users.service.js';
import { PasswordHasher } from './password-hasher.js';

const ACTOR = { kind: 'system', name: 'first-admin' } as const;

/** Makes the first admin when there is none, so that somebody can let the others in. */
@Injectable()
export class FirstAdmin implements OnApplicationBootstrap {
  /** The random password of an admin that this start made; for the greeting, once. */
  newPassword: string | undefined;

  constructor(
    private readonly users: UsersService,
    private readonly hasher: PasswordHasher,
    private readonly transactions: Transactions,
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await exclusively(this.database, 'first-admin', () => this.make());
  }

  private async make(): Promise<void> {
    if (await this.transactions.run((tx) => this.users.hasAdmin(tx))) return;
    const { username, email, password } = this.config.admin;
    if (password === undefined && this.config.isProduction) {
      this.logger.warn({ logger: 'auth' }, 'there is no admin: set ADMIN_PASSWORD and start again');
      return;
    }
    const chosen = password ?? randomBytes(12).toString('base64url');
    const hashedPassword = await this.hasher.hash(chosen);
    const account = { username, email, hashedPassword, role: Role.Admin };
    await this.transactions.run((tx) => this.users.add(tx, ACTOR, account));
    if (password === undefined) this.newPassword = chosen;
  }
}
