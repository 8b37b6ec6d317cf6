import { refusal } from '../common/errors.js';

export class MailNotFound extends refusal(404, 'MAIL_NOT_FOUND', 'There is no such message') {}
