import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { Actor } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import { SealedValues } from '../../common/sealed-values.js';
import { CONFIG, type Config } from '../../config/config.js';
import { Transactions } from '../../database/transactions.js';
import { UsersService } from '../../users/users.service.js';
import { InvalidToken } from '../auth.errors.js';
import { FactorCodes } from './factor-codes.js';
import { FactorProofs, type GivenProof } from './factor-proofs.js';
import { FactorNotFound, WrongFactorCode } from './factors.errors.js';
import { FactorsService } from './factors.service.js';
import { TotpFactor } from './totp-factor.entity.js';
import { TotpFactorsRepository } from './totp-factors.repository.js';
import { newTotpSecret, stepOfCode, totpUri } from './totp.js';

/** What an authenticator app needs; shown once. */
export interface NewTotp {
  readonly id: string;
  readonly secret: string;
  readonly uri: string;
}

/** Authenticator apps, from the secret to the first code. */
@Injectable()
export class TotpService {
  constructor(
    private readonly totps: TotpFactorsRepository,
    private readonly factors: FactorsService,
    private readonly proofs: FactorProofs,
    private readonly codes: FactorCodes,
    private readonly values: SealedValues,
    private readonly users: UsersService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * A secret for an app that is to be confirmed within 15 minutes; one that waits from before is gone. Throws `WrongPassword`,
   * `WrongFactorCode` or `TooManyFactors`.
   */
  async enrol(actor: Actor, name: string, given: GivenProof): Promise<NewTotp> {
    const proof = await this.proofs.check(actor, given);
    const secret = newTotpSecret();
    const factor = Object.assign(new TotpFactor(), {
      id: randomUUID(),
      userId: proof.user.id,
      name,
      lastStep: null,
      createdAt: this.clock.now(),
      confirmedAt: null,
      lastUsedAt: null,
    });
    factor.sealedSecret = await this.values.seal(factor.purpose, secret);
    await this.transactions.run(actor, async (tx) => {
      const user = await this.proofs.redeem(tx, actor, proof);
      await this.factors.requireRoom(tx, user.id);
      await this.totps.removeUnconfirmedOf(tx, user.id);
      await this.totps.insert(tx, factor);
    });
    return { id: factor.id, secret, uri: totpUri(secret, this.config.mail.companyName, proof.user.username) };
  }

  /**
   * Takes an app into use once it has shown a code. Returns the recovery codes that come with the first factor. Throws
   * `FactorNotFound` (too late as well) or `WrongFactorCode`.
   */
  async confirm(actor: Actor, id: string, code: string): Promise<readonly string[] | undefined> {
    if (actor.kind !== 'user') throw new InvalidToken();
    return this.transactions.run(actor, async (tx) => {
      const user = await this.users.getLocked(tx, actor.id);
      const factor = await this.totps.lockById(tx, id);
      const now = this.clock.now();
      if (factor?.userId !== user.id || !factor.mayBeConfirmed(now)) throw new FactorNotFound();
      const secret = await this.codes.secretOf(factor);
      const step = secret === undefined ? undefined : stepOfCode(secret, code, now);
      if (step === undefined) throw new WrongFactorCode();
      factor.confirm(step, now);
      await this.totps.update(tx, factor, ['confirmedAt', 'lastUsedAt', 'lastStep']);
      return this.factors.welcome(tx, actor, user, { id, kind: 'totp', name: factor.name });
    });
  }
}
