import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/transactions.js';
import { type User, UsersService } from '../users/users.service.js';

/** The one place where a change of an account ends what was signed in with it before. */
@Injectable()
export class SessionEnding {
  constructor(private readonly users: UsersService) {}

  /** Commits with the change that makes it necessary. The account must be locked. */
  async endSessionsOf(tx: Tx, user: User): Promise<void> {
    await this.users.noteChangeOfCredentials(tx, user);
  }
}
