import { Injectable } from '@nestjs/common';
import { AuditService } from '../../audit/audit.service.js';
import { type Actor, sessionOf } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import type { Tx } from '../../database/transactions.js';
import { type User, UsersService } from '../../users/users.service.js';
import { FRESH_FOR_MS } from '../accounts/reauthentication.js';
import { InvalidToken, WrongPassword } from '../auth.errors.js';
import { SignInLocks } from '../locks/sign-in-locks.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { FactorCodes, type FoundCode } from './factor-codes.js';
import { WrongFactorCode } from './factors.errors.js';
import { FactorsRepository } from './factors.repository.js';
import { hasSecondFactor } from './second-factor.js';

/** What somebody shows before they change their factors. */
export interface GivenProof {
  readonly password: string;
  readonly code?: string | undefined;
}

/** That somebody is the owner of an account; to be redeemed with the change that it is for. */
export interface FactorProof {
  readonly user: User;
  readonly isFresh: boolean;
  readonly code: FoundCode | null;
}

/**
 * Proof of ownership before factors change (ASVS 5.0, 7.5.1): the password and, where there is a factor, a code of one, or
 * a sign-in with two factors that is younger than ten minutes. Counted like a sign-in, so that nobody guesses.
 */
@Injectable()
export class FactorProofs {
  constructor(
    private readonly users: UsersService,
    private readonly hasher: PasswordHasher,
    private readonly locks: SignInLocks,
    private readonly sessions: SessionsService,
    private readonly factors: FactorsRepository,
    private readonly codes: FactorCodes,
    private readonly audit: AuditService,
    private readonly clock: Clock,
  ) {}

  /** Throws `WrongPassword`, `WrongFactorCode` or `SignInBusy`. */
  async check(actor: Actor, { password, code }: GivenProof): Promise<FactorProof> {
    if (actor.kind !== 'user') throw new InvalidToken();
    const user = await this.users.get(actor.id);
    const isPasswordRight = await this.hasher.matches(password, user.hashedPassword);
    const isFresh = await this.isFresh(actor);
    const isCodeDue = !isFresh && (await this.factors.listOf(user.id)).length > 0;
    const found = isCodeDue && code !== undefined ? await this.codes.findAny(user.id, code) : undefined;
    const isCodeRight = !isCodeDue || found !== undefined;
    const isRight = isPasswordRight && isCodeRight;
    if (await this.locks.decide(actor, { name: user.username, user, isRight }))
      return { user, isFresh, code: found ?? null };
    await this.audit.recordSeldom(actor, {
      action: 'factor.proof_refused',
      targetKind: 'user',
      targetId: user.id,
      outcome: 'refused',
    });
    throw isPasswordRight && !isCodeRight ? new WrongFactorCode() : new WrongPassword();
  }

  /** The account, locked, once the code was used. Throws `WrongPassword` or `WrongFactorCode` when something changed meanwhile. */
  async redeem(tx: Tx, actor: Actor, { user: known, isFresh, code }: FactorProof): Promise<User> {
    const user = await this.users.getLocked(tx, known.id);
    if (!user.isActive || user.sessionEpoch !== known.sessionEpoch) throw new WrongPassword();
    if (code === null) {
      if (!isFresh && (await this.factors.listIn(tx, user.id)).length > 0) throw new WrongFactorCode();
    } else if (!(await this.codes.use(tx, actor, user, code))) throw new WrongFactorCode();
    return user;
  }

  private async isFresh(actor: Actor): Promise<boolean> {
    const id = sessionOf(actor);
    const session = id === undefined ? null : await this.sessions.findKnown(id);
    if (session === null) return false;
    const ageMs = this.clock.now().getTime() - session.createdAt.getTime();
    return hasSecondFactor(session.methods) && ageMs < FRESH_FOR_MS;
  }
}
