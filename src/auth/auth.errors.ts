import { refusal, type RefusalDetails } from '../common/errors.js';

const CHALLENGE = 'Bearer realm="forecourt"';

export class NotSignedIn extends refusal(
  401,
  'NOT_AUTHENTICATED',
  'Sign in first: the request carries no access token',
) {
  constructor() {
    super({ headers: { 'WWW-Authenticate': CHALLENGE } });
  }
}
export class InvalidToken extends refusal(401, 'INVALID_TOKEN', 'The access token is invalid or has expired') {
  constructor() {
    super({ headers: { 'WWW-Authenticate': `${CHALLENGE}, error="invalid_token"` } });
  }
}
export class InvalidCredentials extends refusal(401, 'INVALID_CREDENTIALS', 'Incorrect username or password') {
  constructor() {
    super({ headers: { 'WWW-Authenticate': CHALLENGE } });
  }
}
/** In the same words whatever was wrong with it. */
export class InvalidRefreshToken extends refusal(
  401,
  'INVALID_REFRESH_TOKEN',
  'The refresh token is invalid, has expired or was used before; sign in again',
) {
  constructor() {
    super({ headers: { 'WWW-Authenticate': CHALLENGE } });
  }
}
/** In the same words whatever was wrong with it, or with its owner. */
export class InvalidApiKey extends refusal(
  401,
  'INVALID_API_KEY',
  'The API key is not valid: it may be mistyped, expired, revoked or not meant for this address',
) {
  constructor() {
    super({ headers: { 'WWW-Authenticate': `${CHALLENGE}, error="invalid_token"` } });
  }
}
export class ReauthenticationRequired extends refusal(
  403,
  'REAUTHENTICATION_REQUIRED',
  'Send your current password as well, or sign in again and do this within ten minutes',
) {}
export class ApiKeyNotFound extends refusal(404, 'API_KEY_NOT_FOUND', 'API key not found') {}
export class ApiKeyEnded extends refusal(409, 'API_KEY_ENDED', 'The API key was revoked or has expired already') {}
export class TooManyApiKeys extends refusal(
  409,
  'TOO_MANY_API_KEYS',
  'You have 20 API keys that work: revoke one that is not needed any more',
) {}
export class CrossSiteRequest extends refusal(
  403,
  'CROSS_SITE_REQUEST',
  'With a cookie this is only answered to pages of this application',
) {}
export class SessionNotFound extends refusal(404, 'SESSION_NOT_FOUND', 'Session not found') {}
export class Forbidden extends refusal(403, 'FORBIDDEN', 'You are not allowed to do this') {}
export class SignInBusy extends refusal(
  503,
  'SIGN_IN_BUSY',
  'Too many people are signing in right now; try again shortly',
) {
  constructor(details: RefusalDetails = {}) {
    super({ ...details, headers: { 'Retry-After': '2' } });
  }
}
export class WrongPassword extends refusal(403, 'WRONG_PASSWORD', 'The current password is not right') {
  constructor(details: RefusalDetails = {}) {
    super({ fieldErrors: { current_password: ['Is not your password'] }, ...details });
  }
}
export class BreakGlassStays extends refusal(
  409,
  'BREAK_GLASS_STAYS',
  'This account is the way in when no provider answers; another one has to be set first',
) {}
export class InvitationNotFound extends refusal(404, 'INVITATION_NOT_FOUND', 'Invitation not found') {}
export class InvitationEnded extends refusal(
  409,
  'INVITATION_ENDED',
  'The invitation was accepted or revoked already',
) {}
export class AlreadyInvited extends refusal(
  409,
  'ALREADY_INVITED',
  'There is an open invitation to this address: send it again or revoke it',
) {
  constructor() {
    super({ fieldErrors: { email: ['Is invited already'] } });
  }
}
/** Whether it never was, was used, revoked or has expired: a stranger hears no more. */
export class InvalidInvitation extends refusal(
  403,
  'INVALID_INVITATION',
  'The invitation is not valid: ask for a new one',
) {}
