import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { type Actor, ipOf } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import { LOGGER } from '../../common/logging.js';
import { hashOfSecret } from '../../common/random-secret.js';
import { Transactions, type Tx } from '../../database/transactions.js';
import { type User, UsersService } from '../../users/users.service.js';
import { InvalidRefreshToken } from '../auth.errors.js';
import type { Client } from './client.js';
import { describeDevice } from './device.js';
import { newSalt, successorOf } from './refresh-tokens.js';
import { RefreshTokensRepository, type RefreshTokenRow } from './refresh-tokens.repository.js';
import type { Session } from './session.entity.js';
import { SessionsRepository } from './sessions.repository.js';
import { type Grant, SessionsService } from './sessions.service.js';

/** How long a used token still gives its successor to the device that used it: two tabs, or an answer that was lost. */
const GRACE_MS = 10_000;

/** What a token is worth: its text with what is kept of it. */
interface Presented {
  readonly text: string;
  readonly row: RefreshTokenRow;
}

/**
 * Exchanges refresh tokens (RFC 6749, 6; RFC 9700, 4.14.2). Each is good once: it is replaced, and whoever comes with it
 * later ends the session, because one of the two who had it is a thief.
 */
@Injectable()
export class SessionRefresh {
  private readonly logger: Logger;

  constructor(
    private readonly sessions: SessionsService,
    private readonly rows: SessionsRepository,
    private readonly tokens: RefreshTokensRepository,
    private readonly users: UsersService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'auth' });
  }

  /**
   * What follows the token. Within ten seconds the same device gets the same successor again, so that two tabs do not sign
   * each other out. Throws `InvalidRefreshToken`.
   */
  async refresh(actor: Actor, client: Client, text: string): Promise<Grant> {
    // the end of a session whose token was stolen must commit, so that the refusal comes after it
    const grant = await this.transactions.run(actor, (tx) => this.exchange(tx, actor, client, text));
    if (grant === null) throw new InvalidRefreshToken();
    return grant;
  }

  private async exchange(tx: Tx, actor: Actor, client: Client, text: string): Promise<Grant | null> {
    const hash = hashOfSecret(text);
    const session = await this.rows.lockByTokenHash(tx, hash);
    const row = session === null ? undefined : await this.tokens.find(tx, hash);
    if (session === null || row === undefined) return null;
    const user = await this.users.findIn(tx, session.userId);
    const now = this.clock.now();
    if (user === null || !session.isLive(user, now)) return null;
    if (row.usedAt === null) {
      if (client.transport !== session.transport || row.expiresAt <= now) return null;
      return this.rotate(tx, actor, client, { user, session, presented: { text, row }, now });
    }
    if (isSameDevice(client, session) && now.getTime() - row.usedAt.getTime() < GRACE_MS) {
      const { text: refreshToken, row: latest } = await this.followUp(tx, { text, row });
      return { user, session, refreshToken, refreshExpiresAt: latest.expiresAt };
    }
    await this.sessions.end(tx, actor, session, 'reuse');
    this.logger.warn(
      { ip: ipOf(actor), session_id: session.id, user_id: user.id },
      'a used refresh token came again: its session was ended',
    );
    return null;
  }

  private async rotate(
    tx: Tx,
    actor: Actor,
    client: Client,
    { user, session, presented, now }: { user: User; session: Session; presented: Presented; now: Date },
  ): Promise<Grant> {
    const salt = newSalt();
    const successor = successorOf(presented.text, salt);
    const expiresAt = this.sessions.idleEnd(session, now);
    await this.tokens.markUsed(tx, presented.row.hash, successor.hash, salt, now);
    await this.tokens.insert(tx, { hash: successor.hash, sessionId: session.id, issuedAt: now, expiresAt });
    session.lastUsedAt = now;
    session.userAgent = client.userAgent;
    session.device = describeDevice(client.userAgent);
    session.ip = ipOf(actor) ?? '';
    await this.rows.update(tx, session, ['lastUsedAt', 'userAgent', 'device', 'ip']);
    return { user, session, refreshToken: successor.text, refreshExpiresAt: expiresAt };
  }

  /** The token at the end of the chain that begins with a used one. */
  private async followUp(tx: Tx, used: Presented): Promise<Presented> {
    let latest = used;
    while (latest.row.salt !== null) {
      const { text, hash } = successorOf(latest.text, latest.row.salt);
      const row = await this.tokens.find(tx, hash);
      if (row === undefined) throw new Error('the successor of a refresh token is missing');
      latest = { text, row };
    }
    return latest;
  }
}

function isSameDevice(client: Client, session: Session): boolean {
  return client.transport === session.transport && client.userAgent === session.userAgent;
}
