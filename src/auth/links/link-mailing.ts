import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { AuditService } from '../../audit/audit.service.js';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';
import { type Cause, causeOf, Transactions, type Tx } from '../../database/transactions.js';
import { JobsService } from '../../jobs/jobs.service.js';
import { SCHEDULED } from '../../jobs/scheduled.jobs.js';
import { MailService, type OutgoingMail } from '../../mail/mail.service.js';
import { type User, UsersService } from '../../users/users.service.js';
import { maySignInByLink } from '../permissions.js';
import { LinkRequests } from './link-requests.js';
import { MAIL_LINK, type MailLink } from './links.jobs.js';
import {
  emailChangeMail,
  emailChangeNotice,
  emailTakenMail,
  magicLinkMail,
  passwordResetMail,
  verificationMail,
} from './links.mails.js';
import { type IssuedLink, MailedLinks } from './mailed-links.js';

/** Whom a link is for, and what they read. */
interface Letter {
  readonly user: User | null;
  readonly mailsWith: (link: IssuedLink) => OutgoingMail[];
}

const ACTOR = { kind: 'system', name: 'links' } as const;

/** Finds out, in the background, who is behind a requested link, and mails it or does nothing. */
@Injectable()
export class LinkMailing implements OnModuleInit {
  constructor(
    private readonly requests: LinkRequests,
    private readonly links: MailedLinks,
    private readonly users: UsersService,
    private readonly mail: MailService,
    private readonly audit: AuditService,
    private readonly jobs: JobsService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    // twice does no harm: of the same request there is one link
    this.jobs.handle(MAIL_LINK, (job, cause) => this.run(cause, job));
    this.jobs.schedule(SCHEDULED.sweepLinks, () => this.links.sweep());
  }

  private async run(cause: Cause, job: MailLink): Promise<void> {
    const email = await this.requests.addressIn(job);
    const letter = await this.letterFor(job, email);
    if (letter !== null) await this.transactions.run(cause, (tx) => this.send(tx, job, email, letter));
  }

  private async send(tx: Tx, job: MailLink, email: string, { user, mailsWith }: Letter): Promise<void> {
    const { request_id: id, purpose, locale, browser_hash: browser } = job;
    const browserHash = browser === undefined ? undefined : Buffer.from(browser, 'base64url');
    const link = await this.links.issue(tx, { id, purpose, user, email, browserHash });
    if (link === null) return;
    await this.mail.queue(
      tx,
      { kind: 'mailed_link', id },
      mailsWith(link).map((mail) => ({ ...mail, locale })),
    );
    const target = { targetKind: 'user', targetId: user?.id ?? null };
    await this.audit.record(
      tx,
      { ...ACTOR, requestId: causeOf(tx).requestId },
      { action: 'auth.link_sent', ...target, details: { purpose, link_id: id } },
    );
  }

  /** Null when nobody is to be told anything. What changes after this is seen when the link is used. */
  private async letterFor({ purpose, user_id: userId }: MailLink, email: string): Promise<Letter | null> {
    if (purpose === 'change_email') return userId === undefined ? null : this.letterOfChange(userId, email);
    const user = await this.users.findForSignIn(email);
    const pages = this.config.mail;
    if (purpose === 'sign_in') {
      const { mode } = this.config.auth.magicLinks;
      const isMeant = user === null ? mode === 'open' : mode !== 'off' && user.isActive && maySignInByLink(user.role);
      return isMeant ? { user, mailsWith: (link) => [magicLinkMail(email, link, pages)] } : null;
    }
    if (user?.isActive !== true) return null;
    if (purpose === 'reset_password') return { user, mailsWith: (link) => [passwordResetMail(user, link, pages)] };
    return user.emailVerifiedAt === null ? { user, mailsWith: (link) => [verificationMail(user, link, pages)] } : null;
  }

  /**
   * The owner of the account reads the same whether the new address is free or not. Where it is taken nobody gets the link, and
   * its holder hears that somebody asked.
   */
  private async letterOfChange(userId: string, newEmail: string): Promise<Letter | null> {
    const [user, holder] = await Promise.all([this.users.find(userId), this.users.findForSignIn(newEmail)]);
    if (user?.isActive !== true || holder?.id === user.id) return null;
    const now = this.clock.now();
    const mailsToNew = (link: IssuedLink): OutgoingMail[] => {
      if (holder === null) return [emailChangeMail(user, newEmail, link, this.config.mail)];
      return holder.isActive ? [emailTakenMail(holder, now)] : [];
    };
    return { user, mailsWith: (link) => [emailChangeNotice(user, newEmail, now), ...mailsToNew(link)] };
  }
}
