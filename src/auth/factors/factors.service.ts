import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AuditService } from '../../audit/audit.service.js';
import { type Actor, sessionOf } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';
import { Transactions, type Tx } from '../../database/transactions.js';
import { MailService } from '../../mail/mail.service.js';
import { type User, UsersService } from '../../users/users.service.js';
import { InvalidToken } from '../auth.errors.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { FactorProofs, type GivenProof } from './factor-proofs.js';
import { FactorNotFound, LastFactor, NoSecondFactor, TooManyFactors } from './factors.errors.js';
import { factorMail } from './factors.mails.js';
import { type Factor, type FactorKind, FactorsRepository } from './factors.repository.js';
import { hashOfRecoveryCode, newRecoveryCode, RECOVERY_CODES } from './recovery-code.js';
import { RecoveryCodesRepository } from './recovery-codes.repository.js';
import type { SecondFactor } from './second-factor.js';

export type { Factor };

const MOST_FACTORS = 10;

/** Somebody's factors, and how many recovery codes they have left. */
export interface FactorsView {
  readonly factors: readonly Factor[];
  readonly recoveryCodesLeft: number;
  readonly isRequired: boolean;
}

/** Second factors of every kind, and the codes that stand in for them. Every change is on record and told by mail. */
@Injectable()
export class FactorsService {
  constructor(
    private readonly factors: FactorsRepository,
    private readonly recoveries: RecoveryCodesRepository,
    private readonly proofs: FactorProofs,
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly audit: AuditService,
    private readonly mail: MailService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Whether a sign-in to this account has a second step. */
  async isEnrolled(userId: string): Promise<boolean> {
    return (await this.factors.listOf(userId)).length > 0;
  }

  /** What may be shown in the second step of a sign-in; nothing when there is none. */
  async findMethods(tx: Tx, userId: string): Promise<SecondFactor[]> {
    const kinds = new Set<SecondFactor>((await this.factors.listIn(tx, userId)).map(({ kind }) => kind));
    if (kinds.size > 0 && (await this.recoveries.countUnused(tx, userId)) > 0) kinds.add('recovery_code');
    return [...kinds];
  }

  /** The caller's own. */
  async getOwn(actor: Actor): Promise<FactorsView> {
    if (actor.kind !== 'user') throw new InvalidToken();
    return this.transactions.run(actor, async (tx) => ({
      factors: await this.factors.listIn(tx, actor.id),
      recoveryCodesLeft: await this.recoveries.countUnused(tx, actor.id),
      isRequired: this.isRequiredFor((await this.users.findIn(tx, actor.id))?.role),
    }));
  }

  private isRequiredFor(role: string | undefined): boolean {
    return this.config.auth.secondFactorRequiredFor.some((each) => each === role);
  }

  /** Throws `TooManyFactors` when there is no room for another one. */
  async requireRoom(tx: Tx, userId: string): Promise<void> {
    if ((await this.factors.listIn(tx, userId)).length >= MOST_FACTORS) throw new TooManyFactors();
  }

  /**
   * What follows from a factor that was just added: the first one brings recovery codes, which are returned, and ends the other
   * sessions of its owner, which nobody showed it for; the session that added it counts as one with two factors.
   */
  async welcome(
    tx: Tx,
    actor: Actor,
    user: User,
    factor: { readonly id: string; readonly kind: FactorKind; readonly name: string },
  ): Promise<readonly string[] | undefined> {
    const isFirst = (await this.factors.listIn(tx, user.id)).length === 1;
    await this.record(tx, actor, 'factor.added', user, { factor_id: factor.id, kind: factor.kind });
    await this.tell(tx, 'factor_added', user, factor.name);
    const sessionId = sessionOf(actor);
    if (sessionId !== undefined) await this.sessions.addMethod(tx, sessionId, factor.kind);
    if (!isFirst) return undefined;
    await this.sessions.endOthersOf(tx, actor, user.id, sessionId, 'factor_added');
    return this.renewCodes(tx, user);
  }

  /** Throws `FactorNotFound`, `LastFactor`, `WrongPassword` or `WrongFactorCode`. */
  async remove(actor: Actor, id: string, given: GivenProof): Promise<void> {
    const proof = await this.proofs.check(actor, given);
    await this.transactions.run(actor, async (tx) => {
      const user = await this.proofs.redeem(tx, actor, proof);
      const all = await this.factors.listIn(tx, user.id);
      const factor = all.find((each) => each.id === id);
      if (factor === undefined) throw new FactorNotFound();
      if (all.length === 1 && this.isRequiredFor(user.role)) throw new LastFactor();
      await this.factors.remove(tx, factor);
      if (all.length === 1) await this.recoveries.removeOf(tx, user.id);
      await this.record(tx, actor, 'factor.removed', user, { factor_id: id, kind: factor.kind });
      await this.tell(tx, 'factor_removed', user, factor.name);
    });
  }

  /** New codes in the place of the old ones. Throws `NoSecondFactor`, `WrongPassword` or `WrongFactorCode`. */
  async renewRecoveryCodes(actor: Actor, given: GivenProof): Promise<readonly string[]> {
    const proof = await this.proofs.check(actor, given);
    return this.transactions.run(actor, async (tx) => {
      const user = await this.proofs.redeem(tx, actor, proof);
      if ((await this.factors.listIn(tx, user.id)).length === 0) throw new NoSecondFactor();
      await this.record(tx, actor, 'factor.recovery_codes_renewed', user);
      return this.renewCodes(tx, user);
    });
  }

  private async renewCodes(tx: Tx, { id }: User): Promise<readonly string[]> {
    const codes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode);
    await this.recoveries.replace(tx, id, codes.map(hashOfRecoveryCode), this.clock.now());
    return codes;
  }

  private async tell(tx: Tx, template: 'factor_added' | 'factor_removed', user: User, factor: string): Promise<void> {
    const mail = factorMail(template, user, factor, this.clock.now());
    await this.mail.queue(tx, { kind: 'factor_change', id: randomUUID() }, [mail]);
  }

  private record(tx: Tx, actor: Actor, action: string, { id }: User, details = {}): Promise<void> {
    return this.audit.record(tx, actor, { action, targetKind: 'user', targetId: id, details });
  }
}
