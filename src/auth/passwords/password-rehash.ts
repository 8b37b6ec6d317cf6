import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOGGER } from '../../common/logging.js';
import { Transactions } from '../../database/transactions.js';
import { type User, UsersService } from '../../users/users.service.js';
import { PasswordHasher } from './password-hasher.js';

/** Brings a hash to today's cost at the one moment when the password is at hand: after a sign-in. */
@Injectable()
export class PasswordRehash {
  constructor(
    private readonly hasher: PasswordHasher,
    private readonly users: UsersService,
    private readonly transactions: Transactions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Call it when the sign-in is decided; it neither delays nor fails it. Gives way to a password that was changed meanwhile. */
  begin(user: User, password: string): void {
    if (this.hasher.isOutdated(user.hashedPassword)) void this.rehash(user, password);
  }

  private async rehash({ id, hashedPassword }: User, password: string): Promise<void> {
    try {
      const fresh = await this.hasher.hash(password);
      await this.transactions.run((tx) => this.users.replaceHash(tx, id, { from: hashedPassword, to: fresh }));
    } catch (error) {
      this.logger.warn(
        { logger: 'auth', user_id: id, err: error },
        'a password was not hashed anew; tried at the next sign-in',
      );
    }
  }
}
