import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { hashOfSecret, newRandomSecret } from '../../common/random-secret.js';
import { type PasskeyPurpose, PasskeyChallengesRepository } from './passkey-challenges.repository.js';

const VALID_FOR_MS = 5 * 60_000;

/** The random numbers that authenticators sign: 256 bits, good once, within five minutes and for one purpose. */
@Injectable()
export class PasskeyChallenges {
  constructor(
    private readonly challenges: PasskeyChallengesRepository,
    private readonly clock: Clock,
  ) {}

  async issue(purpose: PasskeyPurpose): Promise<Buffer> {
    const { text, hash } = newRandomSecret();
    const expiresAt = new Date(this.clock.now().getTime() + VALID_FOR_MS);
    await this.challenges.insert(hash, purpose, expiresAt);
    return Buffer.from(text, 'base64url');
  }

  /**
   * The challenge that a client signed, in base64url; it is good no more, whatever comes of this. Undefined when it was not for
   * this purpose, too old or used.
   */
  async take(clientData: string, purpose: PasskeyPurpose): Promise<string | undefined> {
    const challenge = challengeIn(clientData);
    if (challenge === undefined) return undefined;
    return (await this.challenges.remove(hashOfSecret(challenge), purpose, this.clock.now())) ? challenge : undefined;
  }

  async sweep(): Promise<void> {
    await this.challenges.removeExpired(this.clock.now());
  }
}

/** The challenge in a clientDataJSON (WebAuthn Level 3, 5.8.1), proved by nothing yet. */
function challengeIn(clientData: string): string | undefined {
  try {
    const data: unknown = JSON.parse(Buffer.from(clientData, 'base64url').toString());
    const challenge = (data as { challenge?: unknown } | null)?.challenge;
    return typeof challenge === 'string' ? challenge : undefined;
  } catch {
    return undefined;
  }
}
