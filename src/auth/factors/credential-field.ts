import { checkedField, type FieldOptions } from '../../common/fields.js';

const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** Texts in base64url that each kind of answer must have (WebAuthn Level 3, 5.1: RegistrationResponseJSON and its like). */
const TEXTS = {
  registration: ['clientDataJSON', 'attestationObject'],
  authentication: ['clientDataJSON', 'authenticatorData', 'signature'],
} as const;

/** What `PublicKeyCredential.toJSON()` gives; what it proves is found out later. */
export function CredentialField(kind: keyof typeof TEXTS, options: FieldOptions = {}): PropertyDecorator {
  const check = (value: unknown): string | undefined => {
    if (value === undefined || value === null) return 'This field is required';
    return isCredential(value, TEXTS[kind]) ? undefined : `Must be the JSON of a credential's ${kind}`;
  };
  return checkedField('credential', check, options, {
    type: 'object',
    additionalProperties: true,
    ...(options.description === undefined ? { description: 'As `PublicKeyCredential.toJSON()` gives it' } : {}),
  });
}

function isCredential(value: unknown, texts: readonly string[]): boolean {
  if (!isRecord(value) || !isRecord(value['response']) || !isRecord(value['clientExtensionResults'])) return false;
  const { id, rawId, type, response } = value;
  const { userHandle, transports } = response;
  return (
    isText(id) &&
    rawId === id &&
    type === 'public-key' &&
    texts.every((name) => isText(response[name])) &&
    (userHandle === undefined || isText(userHandle)) &&
    (transports === undefined || (Array.isArray(transports) && transports.every((each) => typeof each === 'string')))
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && BASE64URL.test(value);
}
