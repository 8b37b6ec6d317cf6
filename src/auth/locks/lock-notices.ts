import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Transactions } from '../../database/transactions.js';
import { JobsService } from '../../jobs/jobs.service.js';
import { SCHEDULED } from '../../jobs/scheduled.jobs.js';
import { MailService } from '../../mail/mail.service.js';
import { UsersService } from '../../users/users.service.js';
import { TELL_LOCKED } from '../auth.jobs.js';
import { signInLockedMail } from '../auth.mails.js';
import { SignInLocks } from './sign-in-locks.js';

/** The background work of locks: who is told, what is forgotten. */
@Injectable()
export class LockNotices implements OnModuleInit {
  constructor(
    private readonly jobs: JobsService,
    private readonly locks: SignInLocks,
    private readonly users: UsersService,
    private readonly mail: MailService,
    private readonly transactions: Transactions,
  ) {}

  onModuleInit(): void {
    // twice does no harm: of the same lock there is one mail
    this.jobs.handle(
      TELL_LOCKED,
      async ({ lock_id: id, user_id: userId, locked_at: at, locked_until: until }, cause) => {
        const user = userId === null ? null : await this.users.find(userId);
        if (user?.isActive !== true) return;
        const mail = signInLockedMail(user, new Date(at), new Date(until));
        await this.transactions.run(cause, (tx) => this.mail.queue(tx, { kind: 'sign_in_lock', id }, [mail]));
      },
    );
    // twice does no harm: it removes what is old
    this.jobs.schedule(SCHEDULED.sweepSignInLocks, () => this.locks.sweep());
  }
}
