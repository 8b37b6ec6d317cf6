import { createHash, createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export type SecretAlgorithm = 'HS256' | 'HS384' | 'HS512';
/** No EdDSA: jsonwebtoken, under @nestjs/jwt and passport-jwt, does not know it. */
export type PublicAlgorithm = 'RS256' | 'ES256';

/** A key of access tokens. Key objects, because verifying with a plain string costs fifty times as much. */
export interface SigningKey {
  /** The `kid` of its tokens. */
  readonly id: string;
  /** The only algorithm that its tokens may have (RFC 8725, 3.1). */
  readonly algorithm: SecretAlgorithm | PublicAlgorithm;
  readonly signsWith: KeyObject;
  readonly verifiesWith: KeyObject;
}

export function isPublic(algorithm: SigningKey['algorithm']): algorithm is PublicAlgorithm {
  return algorithm === 'RS256' || algorithm === 'ES256';
}

export function toSecretKey(secret: string, algorithm: SecretAlgorithm): SigningKey {
  const key = createSecretKey(Buffer.from(secret));
  const id = createHash('sha256').update(`kid:${secret}`).digest('hex').slice(0, 12);
  return { id, algorithm, signsWith: key, verifiesWith: key };
}

/** Throws with a sentence for the operator, which never repeats anything of the key. */
export async function readKeyFile(id: string, path: string): Promise<SigningKey> {
  let key: KeyObject;
  try {
    key = createPrivateKey(await readFile(path));
  } catch (error) {
    throw new Error(
      `The key ${id} could not be read from ${path}: it must be a private key as PEM without a password`,
      {
        cause: error,
      },
    );
  }
  const algorithm = algorithmOf(key);
  if (algorithm === undefined)
    throw new Error(`The key ${id} in ${path} must be RSA of 2048 bits or more, or elliptic of the curve P-256`);
  return { id, algorithm, signsWith: key, verifiesWith: createPublicKey(key) };
}

function algorithmOf({
  asymmetricKeyType: type,
  asymmetricKeyDetails: details,
}: KeyObject): PublicAlgorithm | undefined {
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= 2048) return 'RS256';
  return type === 'ec' && details?.namedCurve === 'prime256v1' ? 'ES256' : undefined;
}
