import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { S3Store } from '../config/storage-config.js';

const CONNECT_WITHIN_MS = 5000;
const IDLE_AT_MOST_MS = 60_000;
const MOST_CONNECTIONS = 256;

/** A client of S3 or of a store that speaks it. */
export function connectTo(
  { endpoint, region, forcePathStyle, accessKeyId, secretAccessKey }: S3Store,
  further: Pick<S3ClientConfig, 'retryStrategy' | 'logger'> = {},
): S3Client {
  const agent = { keepAlive: true, maxSockets: MOST_CONNECTIONS };
  return new S3Client({
    region,
    forcePathStyle,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey } }),
    requestHandler: {
      connectionTimeout: CONNECT_WITHIN_MS,
      socketTimeout: IDLE_AT_MOST_MS,
      httpAgent: agent,
      httpsAgent: agent,
    },
    // stores that are not Amazon's know no trailing checksums
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...further,
  });
}

/** What `work` gives, or throws in words alone: the errors of the client carry what was signed, and with it the key. */
export async function withoutKeys<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const error = thrown as Error & { readonly $metadata?: { readonly httpStatusCode?: number } };
    if (error.$metadata === undefined) throw error;
    // eslint-disable-next-line preserve-caught-error -- the caught one is what must not be told
    throw new Error(`The store of ${place} ${whatItSaid(error, error.$metadata.httpStatusCode)}`);
  }
}

function whatItSaid({ name, code }: NodeJS.ErrnoException, status: number | undefined): string {
  return status === undefined ? `did not answer (${code ?? name})` : `answered ${name} (${status})`;
}
