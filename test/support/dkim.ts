import { createHash, createPublicKey, verify } from 'node:crypto';

/** What a DKIM-Signature says of itself, and whether it is true. */
export interface DkimVerdict {
  readonly domain: string;
  readonly selector: string;
  readonly signedHeaders: readonly string[];
  readonly isBodyIntact: boolean;
  readonly isSignatureGood: boolean;
}

/** Verifies the one signature of a message as RFC 6376, 6.1 says, for relaxed canonicalization and rsa-sha256. */
export function verifyDkim(source: string, publicKeyBase64: string): DkimVerdict {
  const cut = source.indexOf('\r\n\r\n');
  const fields = source.slice(0, cut).split(/\r\n(?![ \t])/);
  const body = source.slice(cut + 4);
  const signatures = fields.filter((field) => /^dkim-signature:/i.test(field));
  const [signature = ''] = signatures;
  if (signatures.length !== 1) throw new Error(`${signatures.length} signatures`);
  const tags = new Map(
    signature
      .slice(signature.indexOf(':') + 1)
      .split(';')
      .map((part) => [part.split('=')[0]?.trim() ?? '', part.split('=').slice(1).join('=').replace(/\s/g, '')]),
  );
  const tag = (name: string): string => tags.get(name) ?? '';
  if (tag('a') !== 'rsa-sha256' || tag('c') !== 'relaxed/relaxed') throw new Error(`signed by ${tag('a')} ${tag('c')}`);
  const signedHeaders = tag('h').toLowerCase().split(':');
  const left = [...fields];
  const signed = signedHeaders.flatMap((name) => {
    // of several fields of one name, the last is signed first
    const index = left.findLastIndex((field) => field.slice(0, field.indexOf(':')).trim().toLowerCase() === name);
    return index === -1 ? [] : left.splice(index, 1).map(relaxedField);
  });
  const unsigned = relaxedField(signature.replace(/([;:\s]b=)[^;]*/, '$1'));
  const key = createPublicKey({ key: Buffer.from(publicKeyBase64, 'base64'), format: 'der', type: 'spki' });
  const content = Buffer.from([...signed, unsigned].join('\r\n'));
  return {
    domain: tag('d'),
    selector: tag('s'),
    signedHeaders,
    isBodyIntact: createHash('sha256').update(relaxedBody(body)).digest('base64') === tag('bh'),
    isSignatureGood: verify('sha256', content, key, Buffer.from(tag('b'), 'base64')),
  };
}

/** RFC 6376, 3.4.2. */
function relaxedField(field: string): string {
  const colon = field.indexOf(':');
  const value = field
    .slice(colon + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .trim();
  return `${field.slice(0, colon).trim().toLowerCase()}:${value}`;
}

/** RFC 6376, 3.4.4. */
function relaxedBody(body: string): string {
  const lines = body.split('\r\n').map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''));
  while (lines.at(-1) === '') lines.pop();
  return lines.length === 0 ? '' : `${lines.join('\r\n')}\r\n`;
}
