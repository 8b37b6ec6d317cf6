import { refusal } from '../../common/errors.js';

export class OpenidProviderNotFound extends refusal(
  404,
  'OPENID_PROVIDER_NOT_FOUND',
  'Nobody signs in with this provider here',
) {}
export class OpenidProviderAway extends refusal(
  503,
  'OPENID_PROVIDER_AWAY',
  'The provider cannot be reached right now; try again shortly',
) {}
/** Unknown, used, expired, or of another browser: a stranger hears no more. */
export class OpenidStateInvalid extends refusal(
  403,
  'OPENID_STATE_INVALID',
  'This sign-in was not begun in this browser, or took too long; begin again',
) {}
export class OpenidCancelled extends refusal(403, 'OPENID_CANCELLED', 'The sign-in was given up at the provider') {}
export class OpenidAnswerInvalid extends refusal(
  403,
  'OPENID_ANSWER_INVALID',
  'The answer of the provider cannot be trusted',
) {}
export class OpenidCodeInvalid extends refusal(
  403,
  'OPENID_CODE_INVALID',
  'The code is invalid, was used or has expired; begin again',
) {}
export class IdentityUnknown extends refusal(
  403,
  'IDENTITY_UNKNOWN',
  'No account belongs to this identity; ask an admin for an invitation',
) {}
export class IdentityEmailUnverified extends refusal(
  403,
  'IDENTITY_EMAIL_UNVERIFIED',
  'The provider does not vouch for the e-mail address',
) {}
export class IdentityDomainRefused extends refusal(
  403,
  'IDENTITY_DOMAIN_REFUSED',
  'People of this domain do not sign in here',
) {}
export class IdentityRoleMissing extends refusal(
  403,
  'IDENTITY_ROLE_MISSING',
  'The provider names no role for this identity that counts here',
) {}
export class IdentityAccountDisabled extends refusal(
  403,
  'IDENTITY_ACCOUNT_DISABLED',
  'The account of this identity is disabled',
) {}
/** An address proves no account: whoever owns it signs in as before and links the identity. */
export class IdentityAccountExists extends refusal(
  409,
  'IDENTITY_ACCOUNT_EXISTS',
  'There is an account with this address: sign in as before, then link the identity',
) {}
export class IdentityTaken extends refusal(409, 'IDENTITY_TAKEN', 'This identity is linked to an account already') {}
export class IdentityNotFound extends refusal(404, 'IDENTITY_NOT_FOUND', 'Identity not found') {}
export class IdentityLastWayIn extends refusal(
  409,
  'IDENTITY_LAST_WAY_IN',
  'Without this identity nobody could sign in to the account',
) {}
