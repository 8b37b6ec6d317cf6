import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';

interface FoundRecord {
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Kinds of records with the columns that tell something of somebody. None is a secret, or the hash of one. */
const OF_ACCOUNTS: readonly (readonly [kind: string, table: string, columns: string])[] = [
  ['session', 'sessions', 'id, device, user_agent, ip, methods, created_at, last_used_at, expires_at, ended_at'],
  ['identity', 'user_identities', 'id, provider, issuer, subject, email, created_at, last_used_at'],
  [
    'api_key',
    'api_keys',
    'id, name, public_id, scopes, allowed_addresses, created_at, last_used_at, last_used_ip, revoked_at',
  ],
  ['totp_factor', 'totp_factors', 'id, name, created_at, last_used_at'],
  ['passkey', 'passkeys', 'id, name, created_at, last_used_at'],
];
const OF_ADDRESSES: readonly (readonly [kind: string, table: string, columns: string])[] = [
  ['invitation', 'invitations', 'id, email, username, role, created_at, expires_at, accepted_at, revoked_at'],
  ['mailed_link', 'mailed_links', 'id, purpose, email, created_at, expires_at, used_at'],
  ['openid_flow', 'openid_flows', 'id, provider, email, subject, created_at'],
];

/** The tables of signing in by the person they are about. */
@Injectable()
export class AuthPersonsRepository {
  constructor(private readonly database: Database) {}

  async recordsOf(email: string, userIds: readonly string[]): Promise<FoundRecord[]> {
    const found: FoundRecord[] = [];
    const add = async (
      [kind, table, columns]: (typeof OF_ACCOUNTS)[number],
      condition: string,
      value: unknown,
    ): Promise<void> => {
      const rows = await this.database.read<FoundRecord['data']>(
        `SELECT ${columns} FROM ${table} WHERE ${condition} ORDER BY created_at, id`,
        [value],
      );
      found.push(...rows.map((data) => ({ kind, data })));
    };
    for (const each of OF_ACCOUNTS) await add(each, 'user_id = ANY ($1::uuid[])', userIds);
    for (const each of OF_ADDRESSES) await add(each, 'email = $1', email);
    return found;
  }

  /** In order, after this one. */
  async addressesAfter(address: string, most: number): Promise<string[]> {
    const columns = [...OF_ADDRESSES.map(([, table]) => [table, 'email']), ['mailed_links', 'holder']];
    const each = columns.map(([table, column]) => `SELECT ${column} AS address FROM ${table} WHERE ${column} > $1`);
    const rows = await this.database.read<{ address: string }>(`${each.join(' UNION ')} ORDER BY 1 LIMIT $2`, [
      address,
      most,
    ]);
    return rows.map((row) => row.address);
  }

  /** What no account owns. Returns how many rows there were. */
  async removeByAddress(tx: Tx, email: string): Promise<number> {
    let removed = 0;
    for (const [, table] of OF_ADDRESSES)
      removed += (await rowsIn(tx, `DELETE FROM ${table} WHERE email = $1 RETURNING id`, [email])).length;
    // the address stands there as it was until it was changed
    removed += (await rowsIn(tx, `DELETE FROM mailed_links WHERE holder = $1 RETURNING id`, [email])).length;
    return removed;
  }
}
