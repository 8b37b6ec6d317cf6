import { Inject, Injectable } from '@nestjs/common';
import {
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type RegistrationResponseJSON,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Actor } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import { LOGGER } from '../../common/logging.js';
import { CONFIG, type Config } from '../../config/config.js';
import { Transactions } from '../../database/transactions.js';
import { UsersService } from '../../users/users.service.js';
import { InvalidToken } from '../auth.errors.js';
import { FactorProofs, type GivenProof } from './factor-proofs.js';
import { PasskeyRefused } from './factors.errors.js';
import { FactorsService } from './factors.service.js';
import { PasskeyChallenges } from './passkey-challenges.js';
import { Passkey } from './passkey.entity.js';
import { userHandleOf } from './passkeys.js';
import { PasskeysRepository } from './passkeys.repository.js';

/** What a new passkey brought, and the recovery codes if it is the first factor. */
export interface AddedPasskey {
  readonly id: string;
  readonly recoveryCodes: readonly string[] | undefined;
}

/** EdDSA, ES256 and RS256 (RFC 9053, RFC 8812). */
const ALGORITHMS = [-8, -7, -257];
const TRANSPORT = /^[a-z-]{1,20}$/;

/** Adding passkeys (WebAuthn Level 3, 7.1). */
@Injectable()
export class PasskeyRegistrations {
  private readonly logger: Logger;

  constructor(
    private readonly passkeys: PasskeysRepository,
    private readonly challenges: PasskeyChallenges,
    private readonly factors: FactorsService,
    private readonly proofs: FactorProofs,
    private readonly users: UsersService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'auth' });
  }

  /**
   * What a browser hands to `navigator.credentials.create`. Throws `WrongPassword`, `WrongFactorCode` or `TooManyFactors`.
   */
  async creationOptions(actor: Actor, given: GivenProof): Promise<PublicKeyCredentialCreationOptionsJSON> {
    const proof = await this.proofs.check(actor, given);
    const user = await this.transactions.run(actor, async (tx) => {
      const owner = await this.proofs.redeem(tx, actor, proof);
      await this.factors.requireRoom(tx, owner.id);
      return owner;
    });
    const known = await this.passkeys.listOf(user.id);
    return generateRegistrationOptions({
      rpName: this.config.mail.companyName,
      rpID: this.config.auth.passkeys.rpId,
      userID: Uint8Array.from(userHandleOf(user.id)),
      userName: user.username,
      challenge: Uint8Array.from(await this.challenges.issue({ kind: 'register', userId: user.id })),
      // no attestation: a law practice has no list of devices that it would hold it against
      attestationType: 'none',
      excludeCredentials: known.map(({ credentialId, transports }) => ({
        id: credentialId.toString('base64url'),
        transports,
      })),
      authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
      supportedAlgorithmIDs: ALGORITHMS,
    });
  }

  /** Adds what the browser made of the options. Throws `PasskeyRefused` or `TooManyFactors`. */
  async add(actor: Actor, name: string, given: object): Promise<AddedPasskey> {
    if (actor.kind !== 'user') throw new InvalidToken();
    const { id: userId } = actor;
    const passkey = await this.read(userId, name, given as RegistrationResponseJSON);
    return this.transactions.run(actor, async (tx) => {
      const user = await this.users.getLocked(tx, userId);
      await this.factors.requireRoom(tx, userId);
      await this.passkeys.insert(tx, passkey);
      const added = { id: passkey.id, kind: 'passkey', name } as const;
      return { id: passkey.id, recoveryCodes: await this.factors.welcome(tx, actor, user, added) };
    });
  }

  private async read(userId: string, name: string, response: RegistrationResponseJSON): Promise<Passkey> {
    const expectedChallenge = await this.challenges.take(response.response.clientDataJSON, {
      kind: 'register',
      userId,
    });
    if (expectedChallenge === undefined) throw new PasskeyRefused();
    const { credential } = await this.verify(response, expectedChallenge);
    return Object.assign(new Passkey(), {
      id: randomUUID(),
      userId,
      name,
      credentialId: Buffer.from(credential.id, 'base64url'),
      publicKey: Buffer.from(credential.publicKey),
      signCount: String(credential.counter),
      transports: (credential.transports ?? []).filter((each) => TRANSPORT.test(each)).slice(0, 10),
      createdAt: this.clock.now(),
      lastUsedAt: null,
    });
  }

  private async verify(response: RegistrationResponseJSON, expectedChallenge: string) {
    const { rpId, origins } = this.config.auth.passkeys;
    try {
      const { registrationInfo } = await verifyRegistrationResponse({
        response,
        expectedChallenge,
        expectedOrigin: [...origins],
        expectedRPID: rpId,
        requireUserVerification: false,
        supportedAlgorithmIDs: ALGORITHMS,
      });
      if (registrationInfo !== undefined) return registrationInfo;
    } catch (error) {
      this.logger.debug({ err: error }, 'a new passkey was refused');
    }
    throw new PasskeyRefused();
  }
}
