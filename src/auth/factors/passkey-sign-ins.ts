import { Inject, Injectable } from '@nestjs/common';
import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import type { Logger } from 'pino';
import { AuditService } from '../../audit/audit.service.js';
import { type Actor, ipOf } from '../../common/actor.js';
import { LOGGER } from '../../common/logging.js';
import { Transactions } from '../../database/transactions.js';
import { UsersService } from '../../users/users.service.js';
import type { SignInResponse } from '../auth.dto.js';
import type { Client } from '../sessions/client.js';
import { SignInMetrics } from '../sign-in.metrics.js';
import { SignIns } from '../sign-ins.js';
import { InvalidPasskey, InvalidSecondFactor } from './factors.errors.js';
import { Passkeys } from './passkeys.js';
import { SignInChallenges } from './sign-in-challenges.js';

/** Signing in with a passkey and nothing else. */
@Injectable()
export class PasskeySignIns {
  private readonly logger: Logger;

  constructor(
    private readonly passkeys: Passkeys,
    private readonly challenges: SignInChallenges,
    private readonly signIns: SignIns,
    private readonly metrics: SignInMetrics,
    private readonly users: UsersService,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'auth' });
  }

  /** For a sign-in with a passkey alone or, with its token, for the second step of one. Throws `InvalidSecondFactor`. */
  async options(challengeToken: string | undefined): Promise<PublicKeyCredentialRequestOptionsJSON> {
    if (challengeToken === undefined) return this.passkeys.requestOptions({ kind: 'sign_in' });
    const signIn = await this.challenges.find(challengeToken);
    if (signIn === null) throw new InvalidSecondFactor();
    return this.passkeys.requestOptions({ kind: 'second_step', userId: signIn.userId, signInHash: signIn.hash });
  }

  /** Tokens of a new session. Throws `InvalidPasskey` in the same words for one that is not known. */
  async signIn(actor: Actor, client: Client, credential: object): Promise<SignInResponse> {
    const found = await this.passkeys.find(actor, credential, { kind: 'sign_in' });
    const user = found === undefined ? null : await this.users.find(found.passkey.userId);
    const result =
      found !== undefined && user?.isActive === true
        ? await this.transactions.run(actor, async (tx) =>
            (await this.passkeys.use(tx, found)) ? this.signIns.complete(tx, actor, client, user, 'passkey') : null,
          )
        : null;
    if (result !== null) return this.signIns.answerTo(result);
    this.logger.warn({ ip: ipOf(actor), user_id: user?.id }, 'a sign-in with a passkey was refused');
    this.metrics.count('passkey', 'refused');
    await this.audit.recordSeldom(actor, {
      action: 'auth.passkey_refused',
      targetKind: 'user',
      targetId: user?.id ?? null,
      outcome: 'refused',
    });
    throw new InvalidPasskey();
  }
}
