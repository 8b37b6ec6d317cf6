import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { AuditService } from '../../audit/audit.service.js';
import { type Actor, ipOf } from '../../common/actor.js';
import { LOGGER } from '../../common/logging.js';
import { Transactions, type Tx } from '../../database/transactions.js';
import { type User, UsersService } from '../../users/users.service.js';
import type { SignInResponse } from '../auth.dto.js';
import { SignInLocks } from '../locks/sign-in-locks.js';
import type { Client } from '../sessions/client.js';
import type { Grant } from '../sessions/sessions.service.js';
import { SignInMetrics } from '../sign-in.metrics.js';
import { SignIns } from '../sign-ins.js';
import { FactorCodes, type FoundCode } from './factor-codes.js';
import { InvalidSecondFactor } from './factors.errors.js';
import { type FoundPasskey, Passkeys } from './passkeys.js';
import type { SecondFactor } from './second-factor.js';
import { isStillOf, SignInChallenges } from './sign-in-challenges.js';
import type { SignInChallengeRow } from './sign-in-challenges.repository.js';

/** What is shown in the second step. */
export interface GivenFactor {
  readonly challengeToken: string;
  readonly method: SecondFactor;
  /** What a person typed. */
  readonly code?: string | undefined;
  /** What an authenticator answered (WebAuthn, AuthenticationResponseJSON). */
  readonly credential?: object | undefined;
}

type Found = FoundCode | FoundPasskey;

/** The second step of a sign-in. */
@Injectable()
export class SecondSteps {
  private readonly logger: Logger;

  constructor(
    private readonly challenges: SignInChallenges,
    private readonly codes: FactorCodes,
    private readonly passkeys: Passkeys,
    private readonly signIns: SignIns,
    private readonly metrics: SignInMetrics,
    private readonly users: UsersService,
    private readonly locks: SignInLocks,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'auth' });
  }

  /**
   * Tokens of a new session for the right second factor. Throws `InvalidSecondFactor` in the same words whatever was wrong. Wrong
   * ones count like wrong passwords: over however many challenges, the account is closed to whoever guesses.
   */
  async verify(actor: Actor, client: Client, given: GivenFactor): Promise<SignInResponse> {
    const challenge = await this.challenges.attempt(given.challengeToken);
    const user = challenge === null ? null : await this.users.find(challenge.userId);
    if (challenge === null || user === null || !isStillOf(challenge, user, client))
      throw await this.refusal(actor, user);
    const found = await this.find(actor, user, challenge, given);
    const isAdmitted = await this.locks.decide(actor, { name: user.username, user, isRight: found !== undefined });
    if (found === undefined || !isAdmitted) throw await this.refusal(actor, user);
    const grant = await this.transactions.run(actor, (tx) =>
      this.finish(tx, actor, client, { user, challenge, found }),
    );
    if (grant === null) throw await this.refusal(actor, user);
    return this.signIns.answerTo(grant);
  }

  private async find(
    actor: Actor,
    user: User,
    { hash }: SignInChallengeRow,
    given: GivenFactor,
  ): Promise<Found | undefined> {
    const { method, code, credential } = given;
    if (method !== 'passkey') return code === undefined ? undefined : this.codes.find(user.id, method, code);
    return credential === undefined
      ? undefined
      : this.passkeys.find(actor, credential, { kind: 'second_step', userId: user.id, signInHash: hash });
  }

  /** Null when somebody else answered the challenge, used the factor or changed the account meanwhile. */
  private async finish(
    tx: Tx,
    actor: Actor,
    client: Client,
    { user, challenge, found }: { user: User; challenge: SignInChallengeRow; found: Found },
  ): Promise<Grant | null> {
    if (!(await this.users.isUnchanged(tx, user))) return null;
    // a challenge is over with the first right answer, whatever becomes of that
    if (!(await this.challenges.end(tx, challenge))) return null;
    const isUsed =
      found.kind === 'passkey' ? await this.passkeys.use(tx, found) : await this.codes.use(tx, actor, user, found);
    return isUsed ? this.signIns.begin(tx, actor, client, user, [challenge.method, found.kind]) : null;
  }

  private async refusal(actor: Actor, user: User | null): Promise<InvalidSecondFactor> {
    this.logger.warn({ ip: ipOf(actor), user_id: user?.id }, 'a second factor was refused');
    this.metrics.count('second_factor', 'refused');
    await this.audit.recordSeldom(actor, {
      action: 'auth.second_factor_refused',
      targetKind: 'user',
      targetId: user?.id ?? null,
      outcome: 'refused',
    });
    return new InvalidSecondFactor();
  }
}
