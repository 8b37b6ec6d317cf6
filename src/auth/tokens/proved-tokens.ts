import { Injectable } from '@nestjs/common';
import { createHash, type KeyObject } from 'node:crypto';
import { Clock } from '../../common/clock.js';
import { SigningKeys } from './signing-keys.js';
import type { AccessClaims } from './token-form.js';

const MOST_PROVED = 10_000;

interface Proof {
  readonly claims: AccessClaims;
  readonly keyId: string | undefined;
  readonly key: KeyObject;
}

/**
 * The tokens whose form and signature this process has proved, so that it does so once for each and not at every request.
 * What may change meanwhile is asked each time: here the key and the expiry, elsewhere the session and the user. Tokens
 * are known by their hash alone.
 */
@Injectable()
export class ProvedTokens {
  private readonly proofs = new Map<string, Proof>();

  constructor(
    private readonly keys: SigningKeys,
    private readonly clock: Clock,
  ) {}

  /** What a token says that was proved before and would be now. */
  find(token: string): AccessClaims | undefined {
    const hash = hashOf(token);
    const proof = this.proofs.get(hash);
    if (proof === undefined) return undefined;
    const { claims, keyId, key } = proof;
    if (this.keys.find(keyId)?.verifiesWith === key && this.clock.now().getTime() < claims.exp * 1000) return claims;
    this.proofs.delete(hash);
    return undefined;
  }

  /** Keeps a token that was just proved with the key of this id. */
  add(token: string, claims: AccessClaims, keyId: string | undefined): void {
    const key = this.keys.find(keyId)?.verifiesWith;
    if (key === undefined) return;
    if (this.proofs.size >= MOST_PROVED) this.proofs.clear();
    this.proofs.set(hashOf(token), { claims, keyId, key });
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
