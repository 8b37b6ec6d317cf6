import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';

/** What a challenge is for: adding a passkey, signing in with one alone, or as the second step of a sign-in. */
export type PasskeyPurpose =
  | { readonly kind: 'register'; readonly userId: string }
  | { readonly kind: 'sign_in' }
  | { readonly kind: 'second_step'; readonly userId: string; readonly signInHash: Buffer };

@Injectable()
export class PasskeyChallengesRepository {
  constructor(private readonly database: Database) {}

  async insert(hash: Buffer, purpose: PasskeyPurpose, expiresAt: Date): Promise<void> {
    await this.database.read(
      `INSERT INTO passkey_challenges (hash, purpose, user_id, sign_in_hash, expires_at) VALUES ($1, $2, $3, $4, $5)`,
      [hash, ...columnsOf(purpose), expiresAt],
    );
  }

  /** Whether there was one for this purpose that had not expired. */
  async remove(hash: Buffer, purpose: PasskeyPurpose, now: Date): Promise<boolean> {
    const removed = await this.database.read<{ isGood: boolean }>(
      `DELETE FROM passkey_challenges WHERE hash = $1
       RETURNING purpose = $2 AND user_id IS NOT DISTINCT FROM $3 AND sign_in_hash IS NOT DISTINCT FROM $4
         AND expires_at > $5 AS "isGood"`,
      [hash, ...columnsOf(purpose), now],
    );
    return removed[0]?.isGood === true;
  }

  async removeExpired(now: Date): Promise<void> {
    await this.database.read(`DELETE FROM passkey_challenges WHERE expires_at < $1`, [now]);
  }
}

function columnsOf(purpose: PasskeyPurpose): [kind: string, userId: string | null, signInHash: Buffer | null] {
  return [
    purpose.kind,
    purpose.kind === 'sign_in' ? null : purpose.userId,
    purpose.kind === 'second_step' ? purpose.signInHash : null,
  ];
}
