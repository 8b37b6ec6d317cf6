import { Inject, Injectable } from '@nestjs/common';
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  type PublicKeyCredentialRequestOptionsJSON,
  verifyAuthenticationResponse,
} from '@simplewebauthn/server';
import type { Logger } from 'pino';
import { AlertsService } from '../../alerts/alerts.service.js';
import { Clock } from '../../common/clock.js';
import { LOGGER } from '../../common/logging.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { Cause, Tx } from '../../database/transactions.js';
import { PasskeyChallenges } from './passkey-challenges.js';
import type { PasskeyPurpose } from './passkey-challenges.repository.js';
import type { Passkey } from './passkey.entity.js';
import { PasskeysRepository } from './passkeys.repository.js';

/** A passkey that has signed what it was given. */
export interface FoundPasskey {
  readonly kind: 'passkey';
  readonly passkey: Passkey;
  readonly count: number;
}

export type SignInPurpose = Exclude<PasskeyPurpose, { readonly kind: 'register' }>;

/** Signing in with passkeys (WebAuthn Level 3, 7.2). */
@Injectable()
export class Passkeys {
  private readonly logger: Logger;

  constructor(
    private readonly passkeys: PasskeysRepository,
    private readonly challenges: PasskeyChallenges,
    private readonly alerts: AlertsService,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'auth' });
  }

  /** What a browser hands to `navigator.credentials.get`. Without a second step any passkey of this place will do. */
  async requestOptions(purpose: SignInPurpose): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const own = purpose.kind === 'sign_in' ? [] : await this.passkeys.listOf(purpose.userId);
    return generateAuthenticationOptions({
      rpID: this.config.auth.passkeys.rpId,
      challenge: Uint8Array.from(await this.challenges.issue(purpose)),
      allowCredentials: own.map(({ credentialId, transports }) => ({
        id: credentialId.toString('base64url'),
        transports,
      })),
      userVerification: verificationFor(purpose),
    });
  }

  /**
   * The passkey that signed; undefined when that was for something else, is not known or not good. One whose count does not grow
   * was copied: it is refused, and operators hear of it.
   */
  async find(cause: Cause, given: object, purpose: SignInPurpose): Promise<FoundPasskey | undefined> {
    const response = given as AuthenticationResponseJSON;
    const challenge = await this.challenges.take(response.response.clientDataJSON, purpose);
    const passkey = await this.passkeys.findByCredentialId(Buffer.from(response.id, 'base64url'));
    if (challenge === undefined || passkey === null || !isFor(passkey, response, purpose)) return undefined;
    const count = await this.countIn(passkey, response, challenge, purpose);
    if (count === undefined) return undefined;
    if (passkey.isPlausible(count)) return { kind: 'passkey', passkey, count };
    const event = {
      cause: 'passkey.copied',
      summary: 'A passkey counts backwards: somebody may have copied it',
      details: { user_id: passkey.userId, passkey_id: passkey.id, expected_above: Number(passkey.signCount), count },
    };
    await this.alerts.raiseAlone(event, cause);
    return undefined;
  }

  /** False when it was used at the same time elsewhere. */
  async use(tx: Tx, { passkey, count }: FoundPasskey): Promise<boolean> {
    return this.passkeys.use(tx, passkey.id, count, this.clock.now());
  }

  /** The signed count; undefined when the signature, or what it is about, is wrong. */
  private async countIn(
    { credentialId, publicKey }: Passkey,
    response: AuthenticationResponseJSON,
    expectedChallenge: string,
    purpose: SignInPurpose,
  ): Promise<number | undefined> {
    const { rpId, origins } = this.config.auth.passkeys;
    try {
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response,
        expectedChallenge,
        expectedOrigin: [...origins],
        expectedRPID: rpId,
        // the count is compared by us, so that a copy is told from a wrong signature
        credential: { id: credentialId.toString('base64url'), publicKey: Uint8Array.from(publicKey), counter: 0 },
        requireUserVerification: verificationFor(purpose) === 'required',
      });
      return verified ? authenticationInfo.newCounter : undefined;
    } catch (error) {
      this.logger.debug({ err: error }, 'the answer of an authenticator was refused');
      return undefined;
    }
  }
}

/** By itself a passkey must know its user; as a second factor its possession will do. */
function verificationFor({ kind }: SignInPurpose): 'required' | 'preferred' {
  return kind === 'sign_in' ? 'required' : 'preferred';
}

function isFor(passkey: Passkey, { response }: AuthenticationResponseJSON, purpose: SignInPurpose): boolean {
  if (purpose.kind === 'second_step' && purpose.userId !== passkey.userId) return false;
  const { userHandle } = response;
  return userHandle === undefined || userHandle === userHandleOf(passkey.userId).toString('base64url');
}

/** How authenticators name an account: 16 bytes that say nothing about whose it is (WebAuthn Level 3, 14.6.1). */
export function userHandleOf(userId: string): Buffer {
  return Buffer.from(userId.replaceAll('-', ''), 'hex');
}
