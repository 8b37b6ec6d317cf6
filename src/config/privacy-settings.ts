import { optional, setting } from './setting.js';
import { place, whole } from './setting-readers.js';

/** How what is known of persons is kept, and given up. */
export const PRIVACY_SETTINGS = {
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
