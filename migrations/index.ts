import { CreateUsers1764000000001 } from './1764000000001-create-users.js';
import { CreateFiles1764000000002 } from './1764000000002-create-files.js';
import { CreateLeads1764000000003 } from './1764000000003-create-leads.js';
import { CreateLeadStatusHistory1764000000004 } from './1764000000004-create-lead-status-history.js';
import { CountLeads1764000000005 } from './1764000000005-count-leads.js';
import { CreateMailMessages1764000000006 } from './1764000000006-create-mail-messages.js';
import { CreateAuditEntries1764000000007 } from './1764000000007-create-audit-entries.js';
import { DescribeFiles1764000000008 } from './1764000000008-describe-files.js';
import { CreateAlerts1764000000009 } from './1764000000009-create-alerts.js';
import { CreateFileTexts1764000000010 } from './1764000000010-create-file-texts.js';
import { AddLocales1764000000012 } from './1764000000012-add-locales.js';
import { DescribeMailDelivery1764000000013 } from './1764000000013-describe-mail-delivery.js';
import { CreateMailAttempts1764000000014 } from './1764000000014-create-mail-attempts.js';
import { CreateMailSuppressions1764000000015 } from './1764000000015-create-mail-suppressions.js';
import { CreateMailServerState1764000000016 } from './1764000000016-create-mail-server-state.js';
import { CreateJobWorkers1764000000017 } from './1764000000017-create-job-workers.js';
import { SealFiles1764000000018 } from './1764000000018-seal-files.js';
import { LetOperatorsSteerMail1764000000020 } from './1764000000020-let-operators-steer-mail.js';
import { ChainAuditEntries1764000000024 } from './1764000000024-chain-audit-entries.js';
import { CreateRateLimits1764000000025 } from './1764000000025-create-rate-limits.js';
import { CreateSessions1764000000028 } from './1764000000028-create-sessions.js';
import { AddSuperadminAndClient1764000000032 } from './1764000000032-add-superadmin-and-client.js';
import { CreateSignInLocks1764000000033 } from './1764000000033-create-sign-in-locks.js';
import { CreateInvitations1764000000034 } from './1764000000034-create-invitations.js';
import { SealSecretsOfMail1764000000036 } from './1764000000036-seal-secrets-of-mail.js';
import { CreateMailedLinks1764000000037 } from './1764000000037-create-mailed-links.js';
import { VerifyAddresses1764000000038 } from './1764000000038-verify-addresses.js';
import { CreateSecondFactors1764000000039 } from './1764000000039-create-second-factors.js';
import { CreatePasskeys1764000000040 } from './1764000000040-create-passkeys.js';
import { CreateUserIdentities1764000000042 } from './1764000000042-create-user-identities.js';
import { CreateApiKeys1764000000045 } from './1764000000045-create-api-keys.js';
import { FindAuditEntriesOfApiKeys1764000000046 } from './1764000000046-find-audit-entries-of-api-keys.js';
import { CreateLegalHolds1764000000050 } from './1764000000050-create-legal-holds.js';
import { CreateErasures1764000000051 } from './1764000000051-create-erasures.js';
import { FindMailedLinksOfPersons1764000000052 } from './1764000000052-find-mailed-links-of-persons.js';
import { RememberRequestsOfMail1764000000053 } from './1764000000053-remember-requests-of-mail.js';
import { CreateLeadConsents1764000000055 } from './1764000000055-create-lead-consents.js';
import { CreateWriteMarks1764000000060 } from './1764000000060-create-write-marks.js';
import { FindLeadsByStatusAndChange1764000000062 } from './1764000000062-find-leads-by-status-and-change.js';
import { CoverLeadsByName1764000000063 } from './1764000000063-cover-leads-by-name.js';
import { FindLeadsByStatusAndPerson1764000000064 } from './1764000000064-find-leads-by-status-and-person.js';

/** Every migration, oldest first. One that has landed is never edited. */
export const MIGRATIONS = [
  CreateUsers1764000000001,
  CreateFiles1764000000002,
  CreateLeads1764000000003,
  CreateLeadStatusHistory1764000000004,
  CountLeads1764000000005,
  CreateMailMessages1764000000006,
  CreateAuditEntries1764000000007,
  DescribeFiles1764000000008,
  CreateAlerts1764000000009,
  CreateFileTexts1764000000010,
  AddLocales1764000000012,
  DescribeMailDelivery1764000000013,
  CreateMailAttempts1764000000014,
  CreateMailSuppressions1764000000015,
  CreateMailServerState1764000000016,
  CreateJobWorkers1764000000017,
  SealFiles1764000000018,
  LetOperatorsSteerMail1764000000020,
  ChainAuditEntries1764000000024,
  CreateRateLimits1764000000025,
  CreateSessions1764000000028,
  AddSuperadminAndClient1764000000032,
  CreateSignInLocks1764000000033,
  CreateInvitations1764000000034,
  SealSecretsOfMail1764000000036,
  CreateMailedLinks1764000000037,
  VerifyAddresses1764000000038,
  CreateSecondFactors1764000000039,
  CreatePasskeys1764000000040,
  CreateUserIdentities1764000000042,
  CreateApiKeys1764000000045,
  FindAuditEntriesOfApiKeys1764000000046,
  CreateLegalHolds1764000000050,
  CreateErasures1764000000051,
  FindMailedLinksOfPersons1764000000052,
  RememberRequestsOfMail1764000000053,
  CreateLeadConsents1764000000055,
  CreateWriteMarks1764000000060,
  FindLeadsByStatusAndChange1764000000062,
  CoverLeadsByName1764000000063,
  FindLeadsByStatusAndPerson1764000000064,
];
