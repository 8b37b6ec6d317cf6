import { Module } from '@nestjs/common';
import { AlertsModule } from '../../alerts/alerts.module.js';
import { AuditModule } from '../../audit/audit.module.js';
import { JobsModule } from '../../jobs/jobs.module.js';
import { JobsService } from '../../jobs/jobs.service.js';
import { SCHEDULED } from '../../jobs/scheduled.jobs.js';
import { MailModule } from '../../mail/mail.module.js';
import { UsersModule } from '../../users/users.module.js';
import { AccountsModule } from '../accounts/accounts.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { FactorCodes } from './factor-codes.js';
import { FactorProofs } from './factor-proofs.js';
import { FactorResets } from './factor-resets.js';
import { FactorSweep } from './factor-sweep.js';
import { FactorsRepository } from './factors.repository.js';
import { FactorsService } from './factors.service.js';
import { PasskeyChallenges } from './passkey-challenges.js';
import { PasskeyChallengesRepository } from './passkey-challenges.repository.js';
import { PasskeyRegistrations } from './passkey-registrations.js';
import { Passkeys } from './passkeys.js';
import { PasskeysRepository } from './passkeys.repository.js';
import { RecoveryCodesRepository } from './recovery-codes.repository.js';
import { SignInChallenges } from './sign-in-challenges.js';
import { SignInChallengesRepository } from './sign-in-challenges.repository.js';
import { TotpFactorsRepository } from './totp-factors.repository.js';
import { TotpService } from './totp.service.js';

/**
 * Second factors and passkeys. Owns the tables `totp_factors`, `passkeys`, `recovery_codes`, `sign_in_challenges` and
 * `passkey_challenges`; promises that each code, challenge and signature is good once, and that no change goes untold. Leaves
 * to auth what a sign-in gives.
 */
@Module({
  imports: [AccountsModule, AlertsModule, AuditModule, JobsModule, MailModule, SessionsModule, UsersModule],
  providers: [
    FactorCodes,
    FactorProofs,
    FactorResets,
    FactorsRepository,
    FactorsService,
    FactorSweep,
    PasskeyChallenges,
    PasskeyChallengesRepository,
    PasskeyRegistrations,
    Passkeys,
    PasskeysRepository,
    RecoveryCodesRepository,
    SignInChallenges,
    SignInChallengesRepository,
    TotpFactorsRepository,
    TotpService,
  ],
  exports: [FactorCodes, FactorResets, FactorsService, PasskeyRegistrations, Passkeys, SignInChallenges, TotpService],
})
export class FactorsModule {
  constructor(jobs: JobsService, sweep: FactorSweep) {
    jobs.schedule(SCHEDULED.forgetChallenges, () => sweep.run());
  }
}
