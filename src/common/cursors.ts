import { Injectable } from '@nestjs/common';
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { ApplicationSecret } from './application-secret.js';
import { UnprocessableFields } from './errors.js';
import { NOT_A_CURSOR } from './fields.js';
import type { CursorRows, PageQuery, Rows } from './pagination.js';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 1;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Behind which row a page begins. */
export interface CursorPlace {
  /** What orders the row, as text. */
  readonly value: string | null;
  readonly id: string;
  /** The number of the page, counted from where the walk began. */
  readonly page: number;
}

/** Rows of a list with the place of the last, when others follow. */
export interface FollowedRows<Row> extends Rows<Row> {
  readonly end: Pick<CursorPlace, 'value' | 'id'> | null;
}

/** What a cursor is good for: the name of the list, its order and its filters. */
export type CursorScope = readonly (string | undefined)[];

/**
 * Cursors of lists. They stand in addresses, which proxies log, and hold what orders a row, which may be a name: so they are
 * sealed, with AES-256-GCM under a key that follows from SECRET_KEY by HKDF (RFC 5869). The nonce follows from the content, as in
 * RFC 5297, so that the same page has the same cursor. What SECRET_KEY_PREVIOUS sealed can still be opened.
 */
@Injectable()
export class Cursors {
  private keys: Promise<readonly CursorKeys[]> | undefined;

  constructor(private readonly secret: ApplicationSecret) {}

  /**
   * The page that was asked for, with the cursor of the next one. `read` gets the place of the cursor, if there is one. Throws
   * what {@link open} throws.
   */
  async page<Row>(
    scope: CursorScope,
    query: Pick<PageQuery, 'page'> & { readonly cursor?: string | undefined },
    read: (after: CursorPlace | undefined) => Promise<FollowedRows<Row>>,
  ): Promise<CursorRows<Row>> {
    const after = query.cursor === undefined ? undefined : await this.open(scope, query.cursor);
    const { rows, total, end } = await read(after);
    const page = after?.page ?? query.page;
    const nextCursor = end === null ? null : await this.seal(scope, { ...end, page: page + 1 });
    return { rows, total, page, nextCursor };
  }

  async seal(scope: CursorScope, { value, id, page }: CursorPlace): Promise<string> {
    const [keys] = await this.readKeys();
    if (keys === undefined) throw new Error('there is no secret to seal with');
    const content = JSON.stringify([value, id, page]);
    const purpose = purposeOf(scope);
    const nonce = createHmac('sha256', keys.nonces).update(purpose).update(content).digest().subarray(0, NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, keys.content, nonce).setAAD(purpose);
    const sealed = [cipher.update(content, 'utf8'), cipher.final()];
    return Buffer.concat([Buffer.of(VERSION), nonce, ...sealed, cipher.getAuthTag()]).toString('base64url');
  }

  /** Throws `UnprocessableFields` unless this instance made the cursor for this very list, order and filters. */
  async open(scope: CursorScope, cursor: string): Promise<CursorPlace> {
    const bytes = Buffer.from(cursor, 'base64url');
    // what is no base64url is passed over by the decoder
    if (bytes[0] === VERSION && bytes.toString('base64url') === cursor) {
      for (const keys of await this.readKeys()) {
        const content = opened(keys, purposeOf(scope), bytes.subarray(1));
        if (content !== undefined) return toPlace(content);
      }
    }
    throw new UnprocessableFields({ fieldErrors: { cursor: [NOT_A_CURSOR] } });
  }

  private async readKeys(): Promise<readonly CursorKeys[]> {
    this.keys ??= this.secret.all().then((secrets) => secrets.map(toKeys));
    return this.keys;
  }
}

interface CursorKeys {
  readonly content: Buffer;
  readonly nonces: Buffer;
}

function toKeys(secret: string): CursorKeys {
  const bytes = Buffer.from(hkdfSync('sha256', secret, '', 'forecourt cursors 1', 2 * KEY_BYTES));
  return { content: bytes.subarray(0, KEY_BYTES), nonces: bytes.subarray(KEY_BYTES) };
}

/** Two scopes never have the same bytes. */
const purposeOf = (scope: CursorScope): Buffer => Buffer.from(JSON.stringify(scope.map((part) => part ?? null)));

function opened(keys: CursorKeys, purpose: Buffer, bytes: Buffer): string | undefined {
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv(ALGORITHM, keys.content, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(purpose).setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const content = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
    return Buffer.concat(content).toString('utf8');
  } catch {
    return undefined;
  }
}

function toPlace(content: string): CursorPlace {
  const [value, id, page] = JSON.parse(content) as [string | null, string, number];
  return { value, id, page };
}
