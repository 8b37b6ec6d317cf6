import { refusal } from '../common/errors.js';

export class MailNotFound extends refusal(404, 'MAIL_NOT_FOUND', 'There is no such message') {}
export class MailSuppressionNotFound extends refusal(
  404,
  'MAIL_SUPPRESSION_NOT_FOUND',
  'There is no such suppression, or it was lifted already',
) {}
export class MailNotWaiting extends refusal(
  409,
  'MAIL_NOT_WAITING',
  'Only a message that waits can be cancelled; this one is being sent or is settled',
) {}
export class MailStillUnderWay extends refusal(
  409,
  'MAIL_STILL_UNDER_WAY',
  'This message is still on its way and needs no sending again',
) {}
export class MailSecretGone extends refusal(
  409,
  'MAIL_SECRET_GONE',
  'The link in this message was for its recipient alone and is not kept; a new one has to be asked for',
) {}
export class MailJustResent extends refusal(
  409,
  'MAIL_JUST_RESENT',
  'This message was queued again within the last half minute',
) {}
export class MailAlreadyResent extends refusal(
  409,
  'MAIL_ALREADY_RESENT',
  'This message was sent again already; send its repetition again instead',
) {}
export class MailRecipientSuppressed extends refusal(
  409,
  'MAIL_RECIPIENT_SUPPRESSED',
  'The recipient refused mail for good; lift the suppression first',
) {}
export class MailSwitchedOff extends refusal(
  409,
  'MAIL_SWITCHED_OFF',
  'No mail leaves this installation until its operator switches mail on',
) {}
export class MailNotRenderable extends refusal(
  409,
  'MAIL_NOT_RENDERABLE',
  'This message can no longer be rendered; it goes out as plain text',
) {}
