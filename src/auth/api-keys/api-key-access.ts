import { Inject, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import type { Logger } from 'pino';
import { AuditService } from '../../audit/audit.service.js';
import type { Actor } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import { LOGGER } from '../../common/logging.js';
import { hashOfSecret } from '../../common/random-secret.js';
import { type User, UsersService } from '../../users/users.service.js';
import { InvalidApiKey } from '../auth.errors.js';
import { isAllowed } from './allowed-addresses.js';
import { KEY_START, publicIdIn } from './api-key-form.js';
import type { ApiKey } from './api-key.entity.js';
import { ApiKeysRepository } from './api-keys.repository.js';
import { ApiKeysService } from './api-keys.service.js';

/** Whose key it was. */
export interface KeyHolder {
  readonly user: User;
  readonly apiKey: ApiKey;
}

type Caller = Extract<Actor, { kind: 'anonymous' }>;

const NOTED_EVERY_MS = 60_000;
const MOST_NOTED = 10_000;
const BEARER_KEY = new RegExp(`^Bearer +(${KEY_START}\\S*) *$`, 'i');

/**
 * The key that a request carries: as X-API-Key, or as a bearer token. Undefined when it carries none; what it carries beside
 * X-API-Key must be the same key, or nobody could say which of the two acts. Addresses are never read: they stand in logs.
 */
export function keyIn({ headers }: Pick<Request, 'headers'>): string | undefined {
  const { authorization, 'x-api-key': own } = headers;
  const asBearer = authorization === undefined ? undefined : BEARER_KEY.exec(authorization)?.[1];
  if (own === undefined) return asBearer;
  // a text that is no key, hence refused
  if (Array.isArray(own) || (authorization !== undefined && asBearer !== own)) return '';
  return own;
}

/** Turns a key into its owner. */
@Injectable()
export class ApiKeyAccess {
  /** When each key was last noted to be in use, in milliseconds. */
  private readonly noted = new Map<string, number>();
  private readonly logger: Logger;

  constructor(
    private readonly keys: ApiKeysService,
    private readonly repository: ApiKeysRepository,
    private readonly users: UsersService,
    private readonly audit: AuditService,
    private readonly clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'auth' });
  }

  /** Throws `InvalidApiKey`, in the same words whatever is wrong; the record says what it was. */
  async admit(caller: Caller, text: string): Promise<KeyHolder> {
    const publicId = publicIdIn(text);
    const apiKey = publicId === undefined ? null : await this.keys.findKnown(publicId);
    const user = apiKey === null ? null : await this.users.findKnown(apiKey.userId);
    if (apiKey === null || user === null)
      return this.refuse(caller, null, publicId === undefined ? 'malformed' : 'unknown');
    const now = this.clock.now();
    const fault = faultOf(apiKey, user, hashOfSecret(text), caller.ip, now);
    if (fault !== undefined) return this.refuse(caller, apiKey, fault);
    await this.noteUse(apiKey, caller.ip, now);
    return { user, apiKey };
  }

  private async refuse(caller: Caller, apiKey: ApiKey | null, reason: string): Promise<never> {
    await this.audit.recordSeldom(caller, {
      action: 'auth.api_key_refused',
      targetKind: 'api_key',
      targetId: apiKey?.id ?? null,
      outcome: 'refused',
      details: apiKey === null ? { reason } : { reason, user_id: apiKey.userId },
    });
    throw new InvalidApiKey();
  }

  /** Once a minute in this process. That it cannot be noted is no reason to refuse. */
  private async noteUse({ id }: ApiKey, ip: string, at: Date): Promise<void> {
    const before = this.noted.get(id);
    if (before !== undefined && Math.abs(at.getTime() - before) < NOTED_EVERY_MS) return;
    if (this.noted.size >= MOST_NOTED) this.noted.clear();
    this.noted.set(id, at.getTime());
    const unlessAfter = new Date(at.getTime() - NOTED_EVERY_MS);
    try {
      await this.repository.noteUse(id, { at, ip, unlessAfter });
    } catch (error) {
      this.logger.warn({ api_key_id: id, err: error }, 'the use of an API key was not noted');
    }
  }
}

/** What is wrong with a key, for the record alone. */
function faultOf(apiKey: ApiKey, user: User, hash: Buffer, ip: string, now: Date): string | undefined {
  const state = apiKey.stateAt(now);
  if (!apiKey.matches(hash, now)) return 'secret';
  if (state !== 'active') return state;
  if (!user.isActive) return 'owner_disabled';
  return isAllowed(apiKey.allowedAddresses, ip) ? undefined : 'address';
}
