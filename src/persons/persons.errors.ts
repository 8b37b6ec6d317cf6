import { refusal } from '../common/errors.js';

export class PersonOnHold extends refusal(
  409,
  'LEGAL_HOLD',
  'A legal hold is on this person: nothing about them may be deleted until it is lifted',
) {}
export class AlreadyOnHold extends refusal(409, 'ALREADY_ON_HOLD', 'A legal hold is on this person already') {}
export class HoldNotFound extends refusal(404, 'HOLD_NOT_FOUND', 'Legal hold not found') {}
export class PersonIsStaff extends refusal(
  409,
  'PERSON_IS_STAFF',
  'Somebody who works here is not erased: make the account a client first',
) {}
