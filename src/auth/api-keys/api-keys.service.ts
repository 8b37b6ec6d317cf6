import { Injectable } from '@nestjs/common';
import { AuditService } from '../../audit/audit.service.js';
import type { Actor } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import type { Rows } from '../../common/pagination.js';
import { type Tx, whenCommitted } from '../../database/transactions.js';
import { UsersService } from '../../users/users.service.js';
import { ApiKeyEnded } from '../auth.errors.js';
import { ApiKey, type RevokeReason } from './api-key.entity.js';
import { ApiKeysRepository } from './api-keys.repository.js';
import { KnownApiKeys } from './known-api-keys.js';

/** Keys as such. Who may have and end which is for others to say. */
@Injectable()
export class ApiKeysService {
  constructor(
    private readonly keys: ApiKeysRepository,
    private readonly known: KnownApiKeys,
    private readonly users: UsersService,
    private readonly audit: AuditService,
    private readonly clock: Clock,
  ) {}

  /** Somebody's keys, or everybody's, the latest first. Throws `UserNotFound`. */
  async list(userId: string | undefined, page: number, size: number): Promise<Rows<ApiKey>> {
    if (userId !== undefined) await this.users.get(userId);
    return this.keys.listPage(userId, page, size);
  }

  /** As of this moment (a change takes effect within milliseconds). */
  async findKnown(publicId: string): Promise<ApiKey | null> {
    return this.known.find(publicId);
  }

  async find(id: string): Promise<ApiKey | null> {
    return this.keys.findById(id);
  }

  async findLocked(tx: Tx, id: string): Promise<ApiKey | null> {
    return this.keys.lockById(tx, id);
  }

  async countLive(tx: Tx, userId: string): Promise<number> {
    return this.keys.countLive(tx, userId, this.clock.now());
  }

  async add(tx: Tx, key: ApiKey): Promise<void> {
    await this.keys.insert(tx, key);
    this.forgetAfter(tx, [key.publicId]);
  }

  /** Writes what a rotation changed of a locked key. */
  async saveRotation(tx: Tx, key: ApiKey): Promise<void> {
    await this.keys.update(tx, key, [
      'keyHash',
      'previousHash',
      'previousUntil',
      'rotatedAt',
      'expiresAt',
      'expiryToldAt',
    ]);
    this.forgetAfter(tx, [key.publicId]);
  }

  /** Ends a locked key; on record. Throws `ApiKeyEnded` for one that was revoked before. */
  async revoke(tx: Tx, actor: Actor, key: ApiKey, reason: RevokeReason): Promise<void> {
    if (key.revokedAt !== null) throw new ApiKeyEnded();
    key.revoke(reason, this.clock.now());
    await this.keys.update(tx, key, ['revokedAt', 'revokeReason']);
    this.forgetAfter(tx, [key.publicId]);
    await this.record(tx, actor, 'api_key.revoked', key, { reason });
  }

  /** Ends all keys of somebody; on record if there are any. */
  async revokeAllOf(tx: Tx, actor: Actor, userId: string, reason: RevokeReason): Promise<void> {
    const revoked = await this.keys.revokeAllOf(tx, userId, reason, this.clock.now());
    if (revoked.length === 0) return;
    this.forgetAfter(tx, revoked);
    await this.audit.record(tx, actor, {
      action: 'api_key.all_revoked',
      targetKind: 'user',
      targetId: userId,
      details: { reason, api_keys: revoked.length },
    });
  }

  /** Something that happened to a key. */
  async record(tx: Tx, actor: Actor, action: string, key: ApiKey, details: object): Promise<void> {
    await this.audit.record(tx, actor, {
      action,
      targetKind: 'api_key',
      targetId: key.id,
      details: { user_id: key.userId, prefix: key.prefix, ...details },
    });
  }

  private forgetAfter(tx: Tx, publicIds: readonly string[]): void {
    whenCommitted(tx, () => {
      for (const publicId of publicIds) this.known.forget(publicId);
    });
  }
}
