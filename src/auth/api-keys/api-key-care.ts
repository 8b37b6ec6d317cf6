import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { Clock } from '../../common/clock.js';
import { LOGGER } from '../../common/logging.js';
import { Transactions } from '../../database/transactions.js';
import { JobsService } from '../../jobs/jobs.service.js';
import { SCHEDULED } from '../../jobs/scheduled.jobs.js';
import { MailService } from '../../mail/mail.service.js';
import { UsersService } from '../../users/users.service.js';
import { apiKeyExpiresMail } from '../auth.mails.js';
import { ApiKeysRepository } from './api-keys.repository.js';

const DAY_MS = 86_400_000;
const TOLD_BEFORE_MS = 7 * DAY_MS;
/** For so long somebody may still ask what a key was. The record of it stays. */
const KEPT_FOR_MS = 90 * DAY_MS;
const AT_A_TIME = 100;

/** The background work of keys: whose owner is told that one expires, which are forgotten. */
@Injectable()
export class ApiKeyCare implements OnModuleInit {
  constructor(
    private readonly keys: ApiKeysRepository,
    private readonly users: UsersService,
    private readonly jobs: JobsService,
    private readonly mail: MailService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    this.jobs.schedule(SCHEDULED.careForApiKeys, () => this.run());
  }

  /** Twice does no harm: that an owner was told commits with the mail, and what is gone is not found again. */
  async run(): Promise<void> {
    while ((await this.tellSome()) === AT_A_TIME);
    const before = new Date(this.clock.now().getTime() - KEPT_FOR_MS);
    let removed = 0;
    for (let some = AT_A_TIME; some === AT_A_TIME; removed += some)
      some = await this.keys.removeOverBefore(before, AT_A_TIME);
    if (removed > 0) this.logger.info({ logger: 'auth', api_keys: removed }, 'old API keys were removed');
  }

  /** Tells the owners of some keys. Returns how many keys were looked at. */
  private async tellSome(): Promise<number> {
    const now = this.clock.now();
    return this.transactions.run(async (tx) => {
      const expiring = await this.keys.lockExpiring(tx, now, new Date(now.getTime() + TOLD_BEFORE_MS), AT_A_TIME);
      for (const apiKey of expiring) {
        apiKey.expiryToldAt = now;
        await this.keys.update(tx, apiKey, ['expiryToldAt']);
        const owner = await this.users.findIn(tx, apiKey.userId);
        if (owner?.isActive !== true) continue;
        await this.mail.queue(tx, { kind: 'api_key_expiry', id: randomUUID() }, [apiKeyExpiresMail(owner, apiKey)]);
      }
      return expiring.length;
    });
  }
}
