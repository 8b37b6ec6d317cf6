import { Inject, Injectable } from '@nestjs/common';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Actor } from '../../common/actor.js';
import { hashOfSecret, newRandomSecret } from '../../common/random-secret.js';
import { CONFIG, type Config } from '../../config/config.js';
import { Transactions, type Tx } from '../../database/transactions.js';
import { UserEmailTaken, UsernameTaken } from '../../users/users.errors.js';
import { type User, UsersService } from '../../users/users.service.js';
import { AccountsService } from '../accounts/accounts.service.js';
import type { SignInResponse } from '../auth.dto.js';
import { NO_PASSWORD } from '../passwords/password-hasher.js';
import { maySignInByLink, SIGNED_UP_AS } from '../permissions.js';
import type { Client } from '../sessions/client.js';
import { SignInMetrics } from '../sign-in.metrics.js';
import { SignIns } from '../sign-ins.js';
import { LinkRequests } from './link-requests.js';
import { InvalidLink, MagicLinksOff } from './links.errors.js';
import { type MailedLink, MailedLinks } from './mailed-links.js';

const RANDOM_NAME_BYTES = 8;

/** Signing in without a password, for clients: by a link that is mailed to them. */
@Injectable()
export class MagicLinks {
  constructor(
    private readonly requests: LinkRequests,
    private readonly links: MailedLinks,
    private readonly accounts: AccountsService,
    private readonly users: UsersService,
    private readonly signIns: SignIns,
    private readonly metrics: SignInMetrics,
    private readonly transactions: Transactions,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Mails a link in the background, if a client has the address or anybody may become one. Returns what the browser has to
   * show beside the link, where that is asked for. Throws `MagicLinksOff`.
   */
  async request(actor: Actor, email: string, languages: readonly string[]): Promise<string | undefined> {
    this.requireOn();
    const nonce = this.config.auth.magicLinks.sameBrowser ? newRandomSecret() : undefined;
    await this.requests.take(actor, { purpose: 'sign_in', email, languages, browserHash: nonce?.hash });
    return nonce?.text;
  }

  /** Tokens of a new session, of a new account where there was none. Throws `InvalidLink` or `MagicLinksOff`. */
  async signIn(actor: Actor, client: Client, token: string, browserNonce?: string): Promise<SignInResponse> {
    this.requireOn();
    const grant = await this.transactions
      .run(actor, async (tx) => {
        const link = await this.links.use(tx, 'sign_in', token);
        if (!isOfBrowser(link, browserNonce)) throw new InvalidLink();
        const user = await this.findOrMake(tx, actor, link);
        if (user === null || !maySignInByLink(user.role)) throw new InvalidLink();
        await this.users.noteVerified(tx, user);
        const completed = await this.signIns.complete(tx, actor, client, user, 'magic_link');
        if (completed === null) throw new InvalidLink();
        return completed;
      })
      .catch((error: unknown) => {
        // somebody else made an account of the address, or had the random name, since the link was mailed
        const isTaken = error instanceof UserEmailTaken || error instanceof UsernameTaken;
        if (isTaken || error instanceof InvalidLink) this.metrics.count('magic_link', 'refused');
        throw isTaken ? new InvalidLink({ cause: error }) : error;
      });
    return this.signIns.answerTo(grant);
  }

  private async findOrMake(tx: Tx, actor: Actor, link: MailedLink): Promise<User | null> {
    if (link.userId !== null) return this.links.lockUser(tx, link);
    if (this.config.auth.magicLinks.mode !== 'open') return null;
    return this.accounts.add(tx, actor, {
      username: `${SIGNED_UP_AS}-${randomBytes(RANDOM_NAME_BYTES).toString('hex')}`,
      email: link.email,
      hashedPassword: NO_PASSWORD,
      role: SIGNED_UP_AS,
    });
  }

  private requireOn(): void {
    if (this.config.auth.magicLinks.mode === 'off') throw new MagicLinksOff();
  }
}

function isOfBrowser({ browserHash }: MailedLink, nonce: string | undefined): boolean {
  return browserHash === null || (nonce !== undefined && timingSafeEqual(browserHash, hashOfSecret(nonce)));
}
