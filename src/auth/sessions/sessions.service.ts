import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AuditService } from '../../audit/audit.service.js';
import { type Actor, ipOf } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import type { Rows } from '../../common/pagination.js';
import { hashOfSecret, newRandomSecret } from '../../common/random-secret.js';
import { CONFIG, type Config } from '../../config/config.js';
import { Transactions, type Tx, whenCommitted } from '../../database/transactions.js';
import { type User, UsersService } from '../../users/users.service.js';
import { ApiKeysService } from '../api-keys/api-keys.service.js';
import { InvalidToken, SessionNotFound } from '../auth.errors.js';
import type { Client } from './client.js';
import { describeDevice } from './device.js';
import { KnownSessions } from './known-sessions.js';
import { RefreshTokensRepository } from './refresh-tokens.repository.js';
import { type EndReason, Session } from './session.entity.js';
import { SessionsRepository } from './sessions.repository.js';

/** What a sign-in or a refresh gives to its client. */
export interface Grant {
  readonly user: User;
  readonly session: Session;
  readonly refreshToken: string;
  readonly refreshExpiresAt: Date;
}

const DAY_MS = 86_400_000;

/** Who is signed in where, from the sign-in to the end. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly sessions: SessionsRepository,
    private readonly refreshTokens: RefreshTokensRepository,
    private readonly known: KnownSessions,
    private readonly users: UsersService,
    private readonly apiKeys: ApiKeysService,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * A new session, whatever the client brought along; one that its cookie belonged to is over (ASVS 5.0, 7.2.4). Null when
   * the account was disabled, or its sessions ended, after it was read. `methods`: how it was proved whose it is.
   */
  async begin(tx: Tx, actor: Actor, user: User, client: Client, methods: readonly string[]): Promise<Grant | null> {
    if (!(await this.users.isUnchanged(tx, user))) return null;
    await this.endCarried(tx, actor, client);
    const now = this.clock.now();
    const session = Object.assign(new Session(), {
      id: randomUUID(),
      userId: user.id,
      epoch: user.sessionEpoch,
      transport: client.transport,
      methods: [...methods],
      device: describeDevice(client.userAgent),
      userAgent: client.userAgent,
      ip: ipOf(actor) ?? '',
      createdAt: now,
      lastUsedAt: now,
      expiresAt: new Date(now.getTime() + this.config.auth.sessionDays * DAY_MS),
      endedAt: null,
      endReason: null,
    });
    await this.sessions.insert(tx, session);
    const { text, hash } = newRandomSecret();
    const expiresAt = this.idleEnd(session, now);
    await this.refreshTokens.insert(tx, { hash, sessionId: session.id, issuedAt: now, expiresAt });
    return { user, session, refreshToken: text, refreshExpiresAt: expiresAt };
  }

  /** Until when a refresh token that is made now can be used. */
  idleEnd({ expiresAt }: Session, now: Date): Date {
    return new Date(Math.min(now.getTime() + this.config.auth.refreshTokenDays * DAY_MS, expiresAt.getTime()));
  }

  /** The session behind a token, as of this moment (an end takes effect within milliseconds). */
  async findKnown(id: string): Promise<Session | null> {
    return this.known.find(id);
  }

  /** Ends one session; on record. Nothing happens to one that is over. */
  async end(tx: Tx, actor: Actor, session: Session, reason: EndReason): Promise<void> {
    if (session.endedAt !== null) return;
    session.end(reason, this.clock.now());
    await this.sessions.update(tx, session, ['endedAt', 'endReason']);
    whenCommitted(tx, () => {
      this.known.forget(session.id);
    });
    await this.record(tx, actor, 'session.ended', session, { reason });
  }

  /**
   * Ends every session of somebody when the transaction commits: after a new password, another role, or by wish. Tokens
   * from before there were sessions are refused as well, and so is a sign-in that is under way. Whoever is disabled, or whose
   * password was reset because others may have had it, loses their API keys, too. On record.
   */
  async endAllOf(tx: Tx, actor: Actor, userId: string, reason: EndReason): Promise<void> {
    // first the user and then the sessions, as everybody locks them
    await this.users.endSessions(tx, userId);
    const ended = await this.sessions.endAllOf(tx, userId, reason, this.clock.now());
    whenCommitted(tx, () => {
      for (const id of ended) this.known.forget(id);
    });
    const details = { reason, sessions: ended.length };
    await this.audit.record(tx, actor, {
      action: 'session.all_ended',
      targetKind: 'user',
      targetId: userId,
      details,
    });
    if (reason === 'disabled' || reason === 'password_reset') await this.apiKeys.revokeAllOf(tx, actor, userId, reason);
  }

  /** Ends all sessions of somebody but one, which goes on. On record. */
  async endOthersOf(
    tx: Tx,
    actor: Actor,
    userId: string,
    keptId: string | undefined,
    reason: EndReason,
  ): Promise<void> {
    const ended = await this.sessions.endOthersOf(tx, userId, keptId ?? null, reason, this.clock.now());
    whenCommitted(tx, () => {
      for (const id of ended) this.known.forget(id);
    });
    await this.audit.record(tx, actor, {
      action: 'session.others_ended',
      targetKind: 'user',
      targetId: userId,
      details: { reason, sessions: ended.length },
    });
  }

  /** Notes that whoever holds a session has proved in another way as well who they are. */
  async addMethod(tx: Tx, sessionId: string, method: string): Promise<void> {
    await this.sessions.addMethod(tx, sessionId, method);
    whenCommitted(tx, () => {
      this.known.forget(sessionId);
    });
  }

  /** Signs out. A token from before there were sessions can only end together with all others. */
  async signOut(actor: Actor): Promise<void> {
    const { userId, sessionId } = callerOf(actor);
    if (sessionId === undefined) await this.endAll(actor, userId, 'signed_out');
    else await this.endOne(actor, userId, sessionId, 'signed_out');
  }

  async signOutEverywhere(actor: Actor): Promise<void> {
    await this.endAll(actor, callerOf(actor).userId, 'signed_out_everywhere');
  }

  /** Throws `SessionNotFound` for another's as for none. */
  async endOwn(actor: Actor, id: string): Promise<void> {
    await this.endOne(actor, callerOf(actor).userId, id, 'ended_by_user');
  }

  /** The caller's live sessions, the latest used first. */
  async listOwn(actor: Actor, page: number, size: number): Promise<Rows<Session>> {
    return this.listOf(callerOf(actor).userId, page, size);
  }

  /** Somebody's live sessions, the latest used first. Throws `UserNotFound`. */
  async listOf(userId: string, page: number, size: number): Promise<Rows<Session>> {
    const { id, sessionEpoch: epoch } = await this.users.get(userId);
    const { refreshTokenDays, accessTokenMinutes } = this.config.auth;
    const now = this.clock.now();
    const longestMs = Math.max(refreshTokenDays * DAY_MS, accessTokenMinutes * 60_000);
    const usedAfter = new Date(now.getTime() - longestMs);
    return this.sessions.listLive({ id, epoch }, { now, usedAfter }, page, size);
  }

  /** Something that happened to a session. */
  async record(tx: Tx, actor: Actor, action: string, session: Session, details: object): Promise<void> {
    await this.audit.record(tx, actor, {
      action,
      targetKind: 'session',
      targetId: session.id,
      details: { user_id: session.userId, ...details },
    });
  }

  private async endOne(actor: Actor, userId: string, id: string, reason: EndReason): Promise<void> {
    await this.transactions.run(actor, async (tx) => {
      const session = await this.sessions.lockById(tx, id);
      if (session?.userId !== userId || session.endedAt !== null) throw new SessionNotFound();
      await this.end(tx, actor, session, reason);
    });
  }

  private async endAll(actor: Actor, userId: string, reason: EndReason): Promise<void> {
    await this.transactions.run(actor, (tx) => this.endAllOf(tx, actor, userId, reason));
  }

  private async endCarried(tx: Tx, actor: Actor, { carriedToken }: Client): Promise<void> {
    if (carriedToken === undefined) return;
    const session = await this.sessions.lockByTokenHash(tx, hashOfSecret(carriedToken));
    if (session?.transport === 'cookie') await this.end(tx, actor, session, 'signed_in_again');
  }
}

function callerOf(actor: Actor): { readonly userId: string; readonly sessionId: string | undefined } {
  if (actor.kind !== 'user') throw new InvalidToken();
  return { userId: actor.id, sessionId: actor.sessionId };
}
