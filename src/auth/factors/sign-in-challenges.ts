import { Injectable } from '@nestjs/common';
import { AuditService } from '../../audit/audit.service.js';
import type { Actor } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import { hashOfSecret, newRandomSecret } from '../../common/random-secret.js';
import type { Tx } from '../../database/transactions.js';
import type { User } from '../../users/users.service.js';
import type { Client } from '../sessions/client.js';
import type { SecondFactor } from './second-factor.js';
import { type SignInChallengeRow, SignInChallengesRepository } from './sign-in-challenges.repository.js';

const VALID_FOR_SECONDS = 300;

/** What a right first factor gives to its client where a second one is due. */
export interface SignInChallenge {
  readonly challengeToken: string;
  readonly methods: readonly SecondFactor[];
  readonly expiresInSeconds: number;
}

/**
 * Sign-ins between their two steps. The token of 256 bits opens nothing by itself, is good for five attempts within five
 * minutes, and only in the program that did the first step.
 */
@Injectable()
export class SignInChallenges {
  constructor(
    private readonly challenges: SignInChallengesRepository,
    private readonly audit: AuditService,
    private readonly clock: Clock,
  ) {}

  /** `method`: how the first step was proved. On record. */
  async issue(
    tx: Tx,
    actor: Actor,
    client: Client,
    {
      user,
      method,
      methods,
    }: { readonly user: User; readonly method: string; readonly methods: readonly SecondFactor[] },
  ): Promise<SignInChallenge> {
    const token = newRandomSecret();
    await this.challenges.insert(tx, {
      hash: token.hash,
      userId: user.id,
      epoch: user.sessionEpoch,
      method,
      transport: client.transport,
      userAgent: client.userAgent,
      expiresAt: new Date(this.clock.now().getTime() + VALID_FOR_SECONDS * 1000),
    });
    await this.audit.record(tx, actor, {
      action: 'auth.second_factor_asked',
      targetKind: 'user',
      targetId: user.id,
      details: { method },
    });
    return { challengeToken: token.text, methods, expiresInSeconds: VALID_FOR_SECONDS };
  }

  /** The sign-in of this token, as long as it may be answered; no attempt is counted. */
  async find(challengeToken: string): Promise<SignInChallengeRow | null> {
    return this.challenges.find(hashOfSecret(challengeToken), this.clock.now());
  }

  /** The same, counted as an attempt. */
  async attempt(challengeToken: string): Promise<SignInChallengeRow | null> {
    return this.challenges.attempt(hashOfSecret(challengeToken), this.clock.now());
  }

  /** Ends it, because it was answered; false when that happened before. */
  async end(tx: Tx, { hash }: SignInChallengeRow): Promise<boolean> {
    return this.challenges.remove(tx, hash);
  }

  async sweep(): Promise<void> {
    await this.challenges.removeExpired(this.clock.now());
  }
}

/** Whether the sign-in goes on: the same account with none of its sessions ended, in the program where it began. */
export function isStillOf(row: SignInChallengeRow, user: User, client: Client): boolean {
  return (
    user.isActive &&
    user.sessionEpoch === row.epoch &&
    client.transport === row.transport &&
    client.userAgent === row.userAgent
  );
}
