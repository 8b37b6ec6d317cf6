import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AuditService } from '../../audit/audit.service.js';
import type { Actor } from '../../common/actor.js';
import { SealedValues } from '../../common/sealed-values.js';
import { Transactions, type Tx } from '../../database/transactions.js';
import { JobsService } from '../../jobs/jobs.service.js';
import { MailService } from '../../mail/mail.service.js';
import { AccountKey } from '../locks/account-key.js';
import { MAIL_LINK, type MailLink } from './links.jobs.js';
import type { LinkPurpose } from './mailed-links.js';

/** What somebody asks for who says to have an address. */
export interface LinkRequest {
  readonly purpose: LinkPurpose;
  readonly email: string;
  /** Best first. */
  readonly languages: readonly string[];
  readonly userId?: string | undefined;
  readonly browserHash?: Buffer | undefined;
}

const purposeOf = (requestId: string): string => `link request ${requestId}`;

/**
 * Takes requests for links. A request does the same whoever has the address, or nobody: it owes a job and looks nothing up,
 * so that neither its answer nor its time says which addresses are known (ASVS 5.0, 6.3.8).
 */
@Injectable()
export class LinkRequests {
  constructor(
    private readonly seals: SealedValues,
    private readonly jobs: JobsService,
    private readonly mail: MailService,
    private readonly audit: AuditService,
    private readonly key: AccountKey,
    private readonly transactions: Transactions,
  ) {}

  /** Of a stranger; on record, an address as a keyed hash. */
  async take(actor: Actor, request: LinkRequest): Promise<void> {
    await this.transactions.run(actor, (tx) => this.owe(tx, request));
    const hash = await this.key.hash('name', request.email);
    await this.audit.recordSeldom(actor, {
      action: 'auth.link_requested',
      targetKind: 'user',
      targetId: null,
      details: { purpose: request.purpose, name_hash: hash.toString('hex').slice(0, 32) },
    });
  }

  async owe(tx: Tx, { purpose, email, languages, userId, browserHash }: LinkRequest): Promise<void> {
    const id = randomUUID();
    const sealed = await this.seals.seal(purposeOf(id), email);
    const locale = this.mail.chooseLocale(languages);
    const browser = browserHash?.toString('base64url');
    const job = { request_id: id, purpose, email: sealed, locale, user_id: userId, browser_hash: browser };
    await this.jobs.enqueue(tx, MAIL_LINK, [job]);
  }

  /** The address of a request. */
  async addressIn({ request_id: id, email }: MailLink): Promise<string> {
    return this.seals.open(purposeOf(id), email);
  }
}
