import { refusal } from '../../common/errors.js';

/** In the same words whatever was wrong: the code, its age, the challenge, or that it was all used before. */
export class InvalidSecondFactor extends refusal(
  401,
  'INVALID_SECOND_FACTOR',
  'The second factor is wrong, was used before or came too late; sign in again if that goes on',
) {
  constructor() {
    super({ headers: { 'WWW-Authenticate': 'Bearer realm="forecourt"' } });
  }
}
export class InvalidPasskey extends refusal(401, 'INVALID_PASSKEY', 'This passkey does not open any account here') {
  constructor() {
    super({ headers: { 'WWW-Authenticate': 'Bearer realm="forecourt"' } });
  }
}
export class SecondFactorRequired extends refusal(
  403,
  'SECOND_FACTOR_REQUIRED',
  'Your role needs a second factor: add one first, or sign in with it',
) {}
export class WrongFactorCode extends refusal(403, 'WRONG_FACTOR_CODE', 'The code is wrong or was used before') {
  constructor() {
    super({ fieldErrors: { code: ['Is no code of yours that can be used now'] } });
  }
}
export class PasskeyRefused extends refusal(
  422,
  'PASSKEY_REFUSED',
  'The passkey could not be added: it was made for something else, too late, or is known already',
) {}
export class FactorNotFound extends refusal(404, 'FACTOR_NOT_FOUND', 'Factor not found') {}
export class TooManyFactors extends refusal(
  409,
  'TOO_MANY_FACTORS',
  'You have ten factors already: remove one first',
) {}
export class LastFactor extends refusal(
  409,
  'LAST_FACTOR',
  'Your role needs a second factor and this is the last one: add another first',
) {}
export class NoSecondFactor extends refusal(
  409,
  'NO_SECOND_FACTOR',
  'Add a second factor first: recovery codes stand in for it',
) {}
