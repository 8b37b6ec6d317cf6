import { refusal } from '../common/errors.js';
import type { LeadStatus } from './lead-status.js';

export class LeadNotFound extends refusal(404, 'LEAD_NOT_FOUND', 'Lead not found') {}
export class LeadEmailDuplicate extends refusal(409, 'LEAD_EMAIL_DUPLICATE', 'A lead with this email already exists') {
  constructor() {
    super({ fieldErrors: { email: ['Email already exists'] } });
  }
}
export class InvalidStatusTransition extends refusal(
  400,
  'LEAD_INVALID_STATUS_TRANSITION',
  'Invalid status transition',
) {
  static between(from: LeadStatus, to: LeadStatus): InvalidStatusTransition {
    return new InvalidStatusTransition({ detail: `Cannot transition from ${from} to ${to}` });
  }
}
