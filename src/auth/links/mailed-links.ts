import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { hashOfSecret, newRandomSecret } from '../../common/random-secret.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { Tx } from '../../database/transactions.js';
import { type User, UsersService } from '../../users/users.service.js';
import { InvalidLink } from './links.errors.js';
import { type LinkPurpose, type MailedLink, MailedLinksRepository } from './mailed-links.repository.js';

export type { LinkPurpose, MailedLink };

export interface LinkToMail {
  /** Of the request; the same one is mailed once. */
  readonly id: string;
  readonly purpose: LinkPurpose;
  /** Null where the address has no account. */
  readonly user: User | null;
  readonly email: string;
  readonly browserHash?: Buffer | undefined;
}

export interface IssuedLink {
  readonly token: string;
  readonly expiresAt: Date;
}

const HOUR_MS = 60 * 60_000;
const MOST_IN_AN_HOUR = 5;
/** For so long somebody may still ask who was mailed what. */
const KEPT_FOR_MS = 30 * 24 * HOUR_MS;

/**
 * Links that are good once, whoever they are mailed to. Only hashes of their tokens are kept. Of one purpose and holder the
 * latest alone is good, and none outlives a change of password, role or address: each of those ends all sessions, and a link
 * is as good as the sessions of its time.
 */
@Injectable()
export class MailedLinks {
  constructor(
    private readonly links: MailedLinksRepository,
    private readonly users: UsersService,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** A new link in place of those before. Null when it was made before, or when there were five within the hour. */
  async issue(tx: Tx, { id, purpose, user, email, browserHash }: LinkToMail): Promise<IssuedLink | null> {
    const createdAt = this.clock.now();
    const link: MailedLink = {
      id,
      purpose,
      userId: user?.id ?? null,
      epoch: user?.sessionEpoch ?? null,
      email: email.toLowerCase(),
      browserHash: browserHash ?? null,
    };
    const anHourAgo = new Date(createdAt.getTime() - HOUR_MS);
    const { recent, isMailed } = await this.links.lockHolder(tx, link, anHourAgo);
    if (isMailed || recent >= MOST_IN_AN_HOUR) return null;
    const token = newRandomSecret();
    const expiresAt = new Date(createdAt.getTime() + this.lifetimeMsOf(purpose));
    await this.links.insertInstead(tx, { ...link, tokenHash: token.hash, createdAt, expiresAt });
    return { token: token.text, expiresAt };
  }

  /** The account that a link is for, as of now, without using it up; null when the link is not good. */
  async findUser(purpose: LinkPurpose, token: string): Promise<User | null> {
    const link = await this.links.findOpen(purpose, hashOfSecret(token), this.clock.now());
    const user = link?.userId == null ? null : await this.users.find(link.userId);
    return link !== null && user !== null && isFor(link, user) ? user : null;
  }

  /** Uses a link up, if the transaction commits. Throws `InvalidLink`. */
  async use(tx: Tx, purpose: LinkPurpose, token: string): Promise<MailedLink> {
    const link = await this.links.use(tx, purpose, hashOfSecret(token), this.clock.now());
    if (link === null) throw new InvalidLink();
    return link;
  }

  /** As {@link use}, for a link of an account, which is locked until the transaction ends. Throws `InvalidLink`. */
  async useOfUser(
    tx: Tx,
    purpose: LinkPurpose,
    token: string,
  ): Promise<{ readonly user: User; readonly email: string }> {
    const link = await this.use(tx, purpose, token);
    const user = await this.lockUser(tx, link);
    if (user === null) throw new InvalidLink();
    return { user, email: link.email };
  }

  /** The account that a link is for, locked until the transaction ends; null when it may not come in by it. */
  async lockUser(tx: Tx, link: MailedLink): Promise<User | null> {
    const user = link.userId === null ? null : await this.users.findLocked(tx, link.userId);
    return user !== null && isFor(link, user) ? user : null;
  }

  /** The job. Running it twice does no harm: what is gone is not found again. */
  async sweep(): Promise<void> {
    await this.links.removeExpiredBefore(new Date(this.clock.now().getTime() - KEPT_FOR_MS));
  }

  private lifetimeMsOf(purpose: LinkPurpose): number {
    if (purpose === 'sign_in') return this.config.auth.magicLinks.minutes * 60_000;
    return purpose === 'reset_password' ? HOUR_MS : 24 * HOUR_MS;
  }
}

/** A link to an address that is not the account's any more proves nothing; one that is to change it is to the new one. */
function isFor(link: MailedLink, user: User): boolean {
  const isItsAddress = link.purpose === 'change_email' || link.email === user.email;
  return user.isActive && user.sessionEpoch === link.epoch && isItsAddress;
}
