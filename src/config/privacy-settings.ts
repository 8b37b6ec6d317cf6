import { optional } from './setting.js';
import { place } from './setting-readers.js';

/** How what is known of persons is kept, and given up. */
export const PRIVACY_SETTINGS = {
  ERASURE_NOTES: optional(
    'Privacy',
    place,
    'where a note of each erasure is kept outside of the database, to do it again by after a restore: a folder, or s3://bucket/folder by the S3_ settings; DATA_DIR/erasures when unset',
  ),
};
