import { refusal } from '../common/errors.js';

export class PersonNotFound extends refusal(404, 'PERSON_NOT_FOUND', 'Nothing is known of this person') {}
export class ErasureNotFound extends refusal(404, 'ERASURE_NOT_FOUND', 'Erasure not found') {}
