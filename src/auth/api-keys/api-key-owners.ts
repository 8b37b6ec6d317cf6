import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { type Actor, apiKeyOf } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import { UnprocessableFields } from '../../common/errors.js';
import type { Rows } from '../../common/pagination.js';
import { CONFIG, type Config } from '../../config/config.js';
import { Transactions, type Tx } from '../../database/transactions.js';
import { MailService } from '../../mail/mail.service.js';
import { type User, UsersService } from '../../users/users.service.js';
import { AccountRights } from '../accounts/account-rights.js';
import { Reauthentication } from '../accounts/reauthentication.js';
import { ApiKeyEnded, ApiKeyNotFound, Forbidden, InvalidToken, TooManyApiKeys } from '../auth.errors.js';
import { apiKeyCreatedMail } from '../auth.mails.js';
import { may, type Permission, SCOPES } from '../permissions.js';
import { makeApiKey } from './api-key-form.js';
import { ApiKey } from './api-key.entity.js';
import { ApiKeysService } from './api-keys.service.js';

/** How long a key is to be good; without either, as long as the settings say. */
export interface Lifetime {
  readonly expiresInDays?: number | undefined;
  readonly neverExpires?: boolean | undefined;
}

export interface ApiKeyRequest extends Lifetime {
  readonly name: string;
  readonly scopes: readonly Permission[];
  readonly allowedAddresses: readonly string[];
  readonly currentPassword?: string | undefined;
}

export interface RotationRequest extends Lifetime {
  /** For so long the secret before it is good as well. */
  readonly overlapMinutes: number;
  readonly currentPassword?: string | undefined;
}

/** A key with its secret, which is nowhere else. */
export interface IssuedApiKey {
  readonly apiKey: ApiKey;
  readonly text: string;
}

/** So that somebody who looks at the list knows each of them. */
const MOST_LIVE_KEYS = 20;
const DAY_MS = 86_400_000;

/** What owners and admins do to keys. Everything is on record. */
@Injectable()
export class ApiKeyOwners {
  constructor(
    private readonly keys: ApiKeysService,
    private readonly reauthentication: Reauthentication,
    private readonly rights: AccountRights,
    private readonly users: UsersService,
    private readonly mail: MailService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * A new key of the caller's. Throws what `Reauthentication` throws, `UnprocessableFields` for a scope that the caller may not or a
   * time that is too long, and `TooManyApiKeys`; of any number at once, no more than the maximum are made.
   */
  async create(actor: Actor, request: ApiKeyRequest): Promise<IssuedApiKey> {
    const expiresAt = this.endOf(request);
    const proven = await this.reauthentication.require(actor, request.currentPassword);
    const made = makeApiKey();
    const apiKey = Object.assign(new ApiKey(), {
      id: randomUUID(),
      userId: proven.id,
      name: request.name,
      publicId: made.publicId,
      keyHash: made.hash,
      previousHash: null,
      previousUntil: null,
      scopes: [...new Set(request.scopes)].sort(),
      allowedAddresses: [...new Set(request.allowedAddresses)],
      createdAt: this.clock.now(),
      rotatedAt: null,
      expiresAt,
      lastUsedAt: null,
      lastUsedIp: null,
      revokedAt: null,
      revokeReason: null,
      expiryToldAt: null,
    });
    await this.transactions.run(actor, async (tx) => {
      // the lock on the owner puts all creations in line
      const owner = await this.lockProven(tx, proven);
      requireOwn(owner, apiKey.scopes);
      if ((await this.keys.countLive(tx, owner.id)) >= MOST_LIVE_KEYS) throw new TooManyApiKeys();
      await this.keys.add(tx, apiKey);
      await this.keys.record(tx, actor, 'api_key.created', apiKey, termsOf(apiKey));
      await this.mail.queue(tx, { kind: 'api_key', id: randomUUID() }, [apiKeyCreatedMail(owner, apiKey)]);
    });
    return { apiKey, text: made.text };
  }

  /**
   * Another secret for a key of the caller's, with the same scopes and addresses. Throws what `Reauthentication` throws,
   * `ApiKeyNotFound`, `ApiKeyEnded`, and `UnprocessableFields` for a time that is too long.
   */
  async rotate(actor: Actor, id: string, request: RotationRequest): Promise<IssuedApiKey> {
    const expiresAt = this.endOf(request);
    const proven = await this.reauthentication.require(actor, request.currentPassword);
    return this.transactions.run(actor, async (tx) => {
      const owner = await this.lockProven(tx, proven);
      const apiKey = await this.getOwn(tx, proven.id, id);
      const now = this.clock.now();
      if (apiKey.stateAt(now) !== 'active') throw new ApiKeyEnded();
      const { text, hash } = makeApiKey(apiKey.publicId);
      apiKey.rotate(hash, { now, overlapMs: request.overlapMinutes * 60_000, expiresAt });
      await this.keys.saveRotation(tx, apiKey);
      await this.keys.record(tx, actor, 'api_key.rotated', apiKey, {
        expires_at: expiresAt?.toISOString() ?? null,
        previous_until: apiKey.previousUntil?.toISOString() ?? null,
      });
      await this.mail.queue(tx, { kind: 'api_key', id: randomUUID() }, [apiKeyCreatedMail(owner, apiKey)]);
      return { apiKey, text };
    });
  }

  /** The caller's keys, the latest first. */
  async listOwn(actor: Actor, page: number, size: number): Promise<Rows<ApiKey>> {
    return this.keys.list(callerOf(actor), page, size);
  }

  /** Ends a key of the caller's. Throws `ApiKeyNotFound`, for another's as for none, or `ApiKeyEnded`. */
  async revokeOwn(actor: Actor, id: string): Promise<void> {
    const userId = callerOf(actor);
    await this.transactions.run(actor, async (tx) => {
      await this.keys.revoke(tx, actor, await this.getOwn(tx, userId, id), 'revoked_by_owner');
    });
  }

  /** Ends anybody's key. Throws `ApiKeyNotFound`, `ApiKeyEnded`, or `Forbidden` for one of an account that the actor may not manage. */
  async revoke(actor: Actor, id: string): Promise<void> {
    await this.transactions.run(actor, async (tx) => {
      await this.rights.require(tx, actor, []);
      const found = await this.keys.find(id);
      if (found === null) throw new ApiKeyNotFound();
      // first the user and then the keys, as everybody locks them
      const { role } = await this.users.getLocked(tx, found.userId);
      await this.rights.require(tx, actor, [role]);
      const apiKey = await this.keys.findLocked(tx, id);
      if (apiKey === null) throw new ApiKeyNotFound();
      await this.keys.revoke(tx, actor, apiKey, 'revoked_by_admin');
    });
  }

  /** When a key that is made now ends. Throws `UnprocessableFields` for what the settings do not allow. */
  private endOf({ expiresInDays, neverExpires = false }: Lifetime): Date | null {
    const { defaultDays, maxDays, mayLastForEver } = this.config.auth.apiKeys;
    if (neverExpires) {
      if (!mayLastForEver) throw invalid('never_expires', 'Is not allowed here');
      if (expiresInDays !== undefined) throw invalid('expires_in_days', 'Leave it out of a key that never expires');
      return null;
    }
    if (expiresInDays !== undefined && expiresInDays > maxDays)
      throw invalid('expires_in_days', `Must be at most ${maxDays}`);
    return new Date(this.clock.now().getTime() + (expiresInDays ?? defaultDays) * DAY_MS);
  }

  /** The owner, whose rights and sessions stay as they are until the transaction ends. */
  private async lockProven(tx: Tx, { id, sessionEpoch }: User): Promise<User> {
    const owner = await this.users.getLocked(tx, id);
    // signed out everywhere, or with a new password, since
    if (!owner.isActive || owner.sessionEpoch !== sessionEpoch) throw new InvalidToken();
    return owner;
  }

  private async getOwn(tx: Tx, userId: string, id: string): Promise<ApiKey> {
    const apiKey = await this.keys.findLocked(tx, id);
    if (apiKey?.userId !== userId) throw new ApiKeyNotFound();
    return apiKey;
  }
}

function callerOf(actor: Actor): string {
  if (actor.kind !== 'user') throw new InvalidToken();
  if (apiKeyOf(actor) !== undefined) throw new Forbidden();
  return actor.id;
}

function requireOwn({ role }: User, scopes: readonly Permission[]): void {
  const beyond = scopes.filter((scope) => !SCOPES.has(scope) || !may(role, scope, false));
  if (beyond.length > 0) throw invalid('scopes', `You may not do this yourself: ${beyond.join(', ')}`);
}

function termsOf({ scopes, allowedAddresses, expiresAt }: ApiKey): object {
  return { scopes, allowed_addresses: allowedAddresses, expires_at: expiresAt?.toISOString() ?? null };
}

function invalid(field: string, sentence: string): UnprocessableFields {
  return new UnprocessableFields({ fieldErrors: { [field]: [sentence] } });
}
