import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { Clock } from '../../common/clock.js';
import { LOGGER } from '../../common/logging.js';
import { CONFIG, type Config } from '../../config/config.js';
import { RefreshTokensRepository } from './refresh-tokens.repository.js';
import { SessionsRepository } from './sessions.repository.js';

const DAY_MS = 86_400_000;
const AT_A_TIME = 1000;

/** Removes what is over: sessions with their tokens, and used tokens of sessions that go on. */
@Injectable()
export class SessionSweep {
  constructor(
    private readonly sessions: SessionsRepository,
    private readonly refreshTokens: RefreshTokensRepository,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** The job. Running it twice does no harm: what is gone is not found again. */
  async run(): Promise<void> {
    const before = new Date(this.clock.now().getTime() - this.config.privacy.retention.sessionDays * DAY_MS);
    const sessions = await untilNoneIsLeft(() => this.sessions.removeOverBefore(before, AT_A_TIME));
    const tokens = await untilNoneIsLeft(() => this.refreshTokens.removeUsedBefore(before, AT_A_TIME));
    if (sessions + tokens > 0)
      this.logger.info({ logger: 'auth', sessions, refresh_tokens: tokens }, 'old sessions were removed');
  }
}

async function untilNoneIsLeft(removeSome: () => Promise<number>): Promise<number> {
  let removed = 0;
  for (;;) {
    const some = await removeSome();
    removed += some;
    if (some < AT_A_TIME) return removed;
  }
}
