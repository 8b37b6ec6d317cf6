import type { SettingValues } from './settings.js';

export interface S3Settings {
  /** Amazon's own when unset. */
  readonly endpoint?: string;
  readonly region: string;
  readonly bucket: string;
  /** What all names in the bucket begin with: empty, or ending in a slash. */
  readonly prefix: string;
  readonly forcePathStyle: boolean;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
}

/** Where a store is, and who we are to it; the bucket aside. */
export type S3Store = Omit<S3Settings, 'bucket' | 'prefix'>;

export interface WebdavSettings {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

export interface StorageConfig {
  /** Where new files go. */
  readonly driver: SettingValues['STORAGE_DRIVER'];
  readonly s3: S3Settings | undefined;
  readonly webdav: WebdavSettings | undefined;
}

export function storageOf(values: SettingValues): StorageConfig {
  const { S3_BUCKET: bucket, WEBDAV_URL: url, WEBDAV_USERNAME: username, WEBDAV_PASSWORD: password } = values;
  return {
    driver: values.STORAGE_DRIVER,
    s3: bucket === undefined ? undefined : { ...s3StoreOf(values), bucket, prefix: values.S3_PREFIX ?? '' },
    webdav:
      url === undefined
        ? undefined
        : { url, ...(username === undefined || password === undefined ? {} : { username, password }) },
  };
}

/** The store of the S3_ settings, whether files are kept there or not. */
export function s3StoreOf(values: SettingValues): S3Store {
  const { S3_ENDPOINT: endpoint, S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = values;
  return {
    region: values.S3_REGION,
    forcePathStyle: values.S3_PATH_STYLE,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId === undefined || secretAccessKey === undefined ? {} : { accessKeyId, secretAccessKey }),
  };
}
