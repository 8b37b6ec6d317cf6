import { optional, setting } from './setting.js';
import { flag, place, versionName, webAddress, whole } from './setting-readers.js';

/** How what is known of persons is kept, and given up. */
export const PRIVACY_SETTINGS = {
  CONSENT_REQUIRED: setting(
    'Privacy',
    flag,
    'false',
    'takes the form with consent to CONSENT_TEXT_VERSION alone; otherwise consent is recorded when it is given',
  ),
  CONSENT_TEXT_VERSION: optional(
    'Privacy',
    versionName,
    'which text whoever submits agrees to, such as 2026-11: a new one for each change of the text; consent is not recorded when unset',
  ),
  CONSENT_TEXT_URL: optional('Privacy', webAddress, 'where that text can be read'),
  RETENTION_LEADS_DAYS: setting(
    'Privacy',
    whole(0, 36_500),
    '0',
    'days after which a lead that was reached, and not touched since, is deleted with its story, mails and résumé; 0 keeps leads',
  ),
  RETENTION_MAIL_DAYS: setting(
    'Privacy',
    whole(0, 36_500),
    '0',
    'days after which mails that were sent, given up or cancelled are deleted; 0 keeps them as long as what they are about',
  ),
  RETENTION_SESSIONS_DAYS: setting(
    'Privacy',
    whole(1, 3650),
    '30',
    'days for which one can see where somebody was signed in, after that is over',
  ),
  ERASURE_NOTES: optional(
    'Privacy',
    place,
    'where a note of each erasure is kept outside of the database, to do it again by after a restore: a folder, or s3://bucket/folder by the S3_ settings; DATA_DIR/erasures when unset',
  ),
};
