import { refusal } from '../common/errors.js';

export class JobNotFound extends refusal(404, 'JOB_NOT_FOUND', 'There is no such buried job') {}
