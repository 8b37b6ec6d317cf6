import { Injectable } from '@nestjs/common';
import { PasskeyChallenges } from './passkey-challenges.js';
import { SignInChallenges } from './sign-in-challenges.js';

/** Removes what nobody answered in time. */
@Injectable()
export class FactorSweep {
  constructor(
    private readonly signIns: SignInChallenges,
    private readonly passkeys: PasskeyChallenges,
  ) {}

  /** The job. Running it twice does no harm: what is gone is not found again. */
  async run(): Promise<void> {
    await this.signIns.sweep();
    await this.passkeys.sweep();
  }
}
