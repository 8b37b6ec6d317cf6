import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { AuditService } from '../../audit/audit.service.js';
import type { Actor } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import { LOGGER } from '../../common/logging.js';
import { SealBroken, SealedValues } from '../../common/sealed-values.js';
import type { Tx } from '../../database/transactions.js';
import { MailService } from '../../mail/mail.service.js';
import type { User } from '../../users/users.service.js';
import { recoveryCodeUsedMail } from './factors.mails.js';
import { hashOfRecoveryCode } from './recovery-code.js';
import { RecoveryCodesRepository } from './recovery-codes.repository.js';
import type { TotpFactor } from './totp-factor.entity.js';
import { TotpFactorsRepository } from './totp-factors.repository.js';
import { stepOfCode } from './totp.js';

/** A code that is right, and not used yet. */
export type FoundCode =
  | { readonly kind: 'totp'; readonly factor: TotpFactor; readonly step: number }
  | { readonly kind: 'recovery_code'; readonly hash: Buffer };

/** Codes that people type: first found, then used, each once. */
@Injectable()
export class FactorCodes {
  private readonly logger: Logger;

  constructor(
    private readonly totps: TotpFactorsRepository,
    private readonly recoveries: RecoveryCodesRepository,
    private readonly values: SealedValues,
    private readonly audit: AuditService,
    private readonly mail: MailService,
    private readonly clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'auth' });
  }

  /** Undefined when it is none of the user's codes of this kind, or was used before. */
  async find(userId: string, kind: FoundCode['kind'], code: string): Promise<FoundCode | undefined> {
    return kind === 'totp' ? this.findTotp(userId, code) : this.findRecoveryCode(userId, code);
  }

  /** The same for a code of either kind. */
  async findAny(userId: string, code: string): Promise<FoundCode | undefined> {
    return this.find(userId, /^\d{6}$/.test(code) ? 'totp' : 'recovery_code', code);
  }

  /** Uses what was found; false when somebody else did meanwhile. The owner is told by mail of a recovery code. */
  async use(tx: Tx, actor: Actor, user: User, found: FoundCode): Promise<boolean> {
    const now = this.clock.now();
    if (found.kind === 'totp') return this.useTotp(tx, found.factor, found.step, now);
    if (!(await this.recoveries.use(tx, user.id, found.hash, now))) return false;
    const left = await this.recoveries.countUnused(tx, user.id);
    await this.audit.record(tx, actor, {
      action: 'factor.recovery_code_used',
      targetKind: 'user',
      targetId: user.id,
      details: { left },
    });
    const mail = recoveryCodeUsedMail(user, now, left);
    await this.mail.queue(tx, { kind: 'recovery_code', id: randomUUID() }, [mail]);
    return true;
  }

  /** The secret of a factor; undefined, and on the log, when it can be read no more. */
  async secretOf(factor: TotpFactor): Promise<string | undefined> {
    try {
      return await this.values.open(factor.purpose, factor.sealedSecret);
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      this.logger.error({ factor_id: factor.id, err: error }, 'the secret of an authenticator app could not be opened');
      return undefined;
    }
  }

  private async findTotp(userId: string, code: string): Promise<FoundCode | undefined> {
    for (const factor of await this.totps.listOf(userId)) {
      const secret = await this.secretOf(factor);
      const step = secret === undefined ? undefined : stepOfCode(secret, code, this.clock.now());
      if (step !== undefined && step > (factor.lastStep ?? 0)) return { kind: 'totp', factor, step };
    }
    return undefined;
  }

  private async findRecoveryCode(userId: string, code: string): Promise<FoundCode | undefined> {
    const hash = hashOfRecoveryCode(code);
    return (await this.recoveries.isUnused(userId, hash)) ? { kind: 'recovery_code', hash } : undefined;
  }

  private async useTotp(tx: Tx, factor: TotpFactor, step: number, now: Date): Promise<boolean> {
    if (!(await this.totps.takeStep(tx, factor.id, step, now))) return false;
    if (await this.values.isOutdated(factor.sealedSecret)) {
      const secret = await this.values.open(factor.purpose, factor.sealedSecret);
      factor.sealedSecret = await this.values.seal(factor.purpose, secret);
      await this.totps.update(tx, factor, ['sealedSecret']);
    }
    return true;
  }
}
