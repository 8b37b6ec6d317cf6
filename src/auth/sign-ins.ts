import { Injectable } from '@nestjs/common';
import type { Actor } from '../common/actor.js';
import type { Tx } from '../database/transactions.js';
import type { User } from '../users/users.service.js';
import type { TokenResponse } from './auth.dto.js';
import type { Client } from './sessions/client.js';
import { type Grant, SessionsService } from './sessions/sessions.service.js';
import { SignInRecords } from './sign-in-records.js';
import { AccessTokens } from './tokens/access-tokens.js';

/** How somebody proved to be the owner of an account. */
export type SignInMethod = 'password' | 'magic_link' | 'openid';

/** Where every way to sign in ends: what a proof gives to its client, and the record of it. */
@Injectable()
export class SignIns {
  constructor(
    private readonly sessions: SessionsService,
    private readonly records: SignInRecords,
    private readonly tokens: AccessTokens,
  ) {}

  /**
   * Signs in the owner of an account, on record or not at all. Null when the account was disabled, or its sessions ended,
   * after it was read.
   */
  async complete(tx: Tx, actor: Actor, client: Client, user: User, method: SignInMethod): Promise<Grant | null> {
    const grant = await this.sessions.begin(tx, actor, user, client);
    if (grant !== null) await this.records.succeeded(tx, actor, user, { method, sessionId: grant.session.id });
    return grant;
  }

  /** After the commit. */
  async answerTo(grant: Grant): Promise<TokenResponse> {
    return this.tokens.answerTo(grant);
  }
}
