import { refusal } from '../common/errors.js';
import type { LeadStatus } from './lead-status.js';

export class LeadNotFound extends refusal(404, 'LEAD_NOT_FOUND', 'Lead not found') {}
export class LeadEmailDuplicate extends refusal(409, 'LEAD_EMAIL_DUPLICATE', 'A lead with this email already exists') {
  constructor() {
    super({ fieldErrors: { email: ['Email already exists'] } });
  }
}
export class ConsentRequired extends refusal(422, 'CONSENT_REQUIRED', 'The form needs consent') {
  constructor() {
    super({ fieldErrors: { consent: ['Must be given'] } });
  }
}
export class ConsentOutdated extends refusal(422, 'CONSENT_OUTDATED', 'The text to agree to is another one by now') {
  static since(version: string, url: string | undefined): ConsentOutdated {
    const where = url === undefined ? '' : `, at ${url}`;
    return new ConsentOutdated({
      detail: `The text to agree to is ${version} by now${where}`,
      fieldErrors: { consent_version: [`Must be ${version}`] },
    });
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
