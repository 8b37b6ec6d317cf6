import { Inject, Injectable } from '@nestjs/common';
import { createHash, randomUUID } from 'node:crypto';
import { AuditService } from '../audit/audit.service.js';
import { type Actor, ipOf, nameOf, readerOf } from '../common/actor.js';
import { Clock } from '../common/clock.js';
import { AppError } from '../common/errors.js';
import { Cursors } from '../common/cursors.js';
import type { CursorRows } from '../common/pagination.js';
import { CONFIG, type Config } from '../config/config.js';
import { isSurelyRolledBack } from '../database/constraints.js';
import { together, Transactions, type Tx, whenCommitted } from '../database/transactions.js';
import { FilesService, type ReceivedFile, type StoredFile, type VerifiedContent } from '../files/files.service.js';
import { RateLimitsService } from '../limits/rate-limits.service.js';
import { type MailMessage, MailService, type OutgoingMail } from '../mail/mail.service.js';
import { agreedVersion, type ClaimedConsent } from './consent.js';
import { type LeadConsent, LeadConsentsRepository } from './lead-consents.repository.js';
import { LeadStatusChange } from './lead-status-change.entity.js';
import { LeadStatusChangesRepository } from './lead-status-changes.repository.js';
import { LeadStatus } from './lead-status.js';
import { Lead } from './lead.entity.js';
import { LeadEmailDuplicate, LeadNotFound } from './leads.errors.js';
import { attorneyNotification, prospectConfirmation } from './leads.mails.js';
import { LeadsMetrics } from './leads.metrics.js';
import { type LeadListing, LeadsRepository } from './leads.repository.js';
import { resumeNameOf } from './resume-name.js';

export const RESUME_DOWNLOADED = 'lead.resume_downloaded';

export interface LeadSubmission {
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  /** Tags of the languages that the person reads, best first. */
  readonly languages: readonly string[];
  readonly consent: ClaimedConsent;
  readonly resume: ReceivedFile;
}

/** All that there is to see of a lead. */
export interface LeadDetail {
  readonly lead: Lead;
  /** Null when it was deleted. */
  readonly resume: StoredFile | null;
  /** Null when none was given. */
  readonly consent: LeadConsent | null;
  /** Oldest first. */
  readonly mails: readonly MailMessage[];
  /** Otherwise mails are written into a folder. */
  readonly hasMailServer: boolean;
}

/** A lead's résumé, found to be what was uploaded. */
export interface LeadResume {
  readonly file: StoredFile;
  readonly content: VerifiedContent;
  /** What it is to be called where it arrives. */
  readonly name: string;
}

@Injectable()
export class LeadsService {
  constructor(
    private readonly leads: LeadsRepository,
    private readonly changes: LeadStatusChangesRepository,
    private readonly consents: LeadConsentsRepository,
    private readonly files: FilesService,
    private readonly mail: MailService,
    private readonly audit: AuditService,
    private readonly limits: RateLimitsService,
    private readonly metrics: LeadsMetrics,
    private readonly transactions: Transactions,
    private readonly cursors: Cursors,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Takes a submission in: the résumé is durable before anything names it, then lead, story and both mails commit together.
   * Throws `ConsentRequired`, `ConsentOutdated`, `TooManyRequests` for a mailbox that is named too often, and `LeadEmailDuplicate`; of any number of equal
   * submissions at once, the unique index lets one through. With REPEATED_SUBMISSION=neutral the others get a lead that
   * nobody will ever see.
   */
  async submit(actor: Actor, submission: LeadSubmission): Promise<Lead> {
    const { firstName, lastName, email, languages, resume } = submission;
    const textVersion = agreedVersion(submission.consent, this.config.leads.consent);
    await this.limits.take('recipient', mailboxOf(email));
    const now = this.clock.now();
    const id = randomUUID();
    const file = await this.files.keep(actor, resume, { kind: 'lead', id });
    const lead = Object.assign(new Lead(), {
      id,
      firstName,
      lastName,
      email,
      resumePath: file.storageKey,
      locale: this.mail.chooseLocale(languages),
      status: LeadStatus.Pending,
      createdAt: now,
      updatedAt: now,
      reachedOutAt: null,
      reachedOutById: null,
    });
    try {
      await this.transactions.run(actor, (tx) =>
        together(
          this.files.record(tx, file),
          this.leads.insert(tx, lead),
          this.recordChange(tx, actor, lead, null),
          ...(textVersion === undefined ? [] : [this.recordConsent(tx, actor, lead, textVersion, languages[0])]),
          this.mail.queue(tx, { kind: 'lead', id: lead.id }, this.mailsAbout(lead, file)),
        ),
      );
      this.metrics.countCreated();
    } catch (error) {
      // When the connection broke at the commit, the lead may exist, and its résumé with it; bytes that no row names cost
      // less than a lead without its file.
      if (error instanceof AppError || isSurelyRolledBack(error)) await this.files.removeUnrecorded(file);
      const isHidden = error instanceof LeadEmailDuplicate && this.config.leads.repeated === 'neutral';
      if (!isHidden) throw error;
    }
    return lead;
  }

  /** On record, once a minute for each viewer. Throws `UnprocessableFields` for a cursor that is not of this list. */
  async list(
    actor: Actor,
    listing: Omit<LeadListing, 'after'> & { readonly cursor?: string | undefined },
  ): Promise<CursorRows<Lead>> {
    const { status, sortBy, sortOrder } = listing;
    const found = await this.cursors.page(['leads', sortBy, sortOrder, status], listing, (after) =>
      this.leads.listPage({ ...listing, after }, readerOf(actor)),
    );
    await this.audit.recordSeldom(actor, { action: 'lead.listed', targetKind: 'lead', targetId: null });
    return found;
  }

  async get(_actor: Actor, id: string): Promise<Lead> {
    const lead = await this.leads.findById(id);
    if (lead === null) throw new LeadNotFound();
    return lead;
  }

  /** A lead with its résumé and the mails about it. On record, once a minute for each viewer and lead. */
  async getDetail(actor: Actor, id: string): Promise<LeadDetail> {
    const about = { kind: 'lead', id };
    const [lead, files, consent, mails] = await Promise.all([
      this.get(actor, id),
      this.files.listOf(about),
      this.consents.findOf(id),
      this.mail.listAbout(about),
    ]);
    await this.audit.recordSeldom(actor, { action: 'lead.viewed', targetKind: 'lead', targetId: id });
    const resume = files.find(({ storageKey }) => storageKey === lead.resumePath) ?? null;
    return { lead, resume, consent, mails, hasMailServer: this.mail.hasServer };
  }

  /** The row lock makes simultaneous changes queue: the first moves the lead, the others find it moved. */
  async changeStatus(actor: Actor, id: string, status: LeadStatus): Promise<Lead> {
    return this.transactions.run(actor, async (tx) => {
      const lead = await this.leads.lockById(tx, id);
      if (lead === null) throw new LeadNotFound();
      const before = lead.status;
      const isFirstMove = lead.updatedAt.getTime() === lead.createdAt.getTime();
      lead.moveTo(status, actor.kind === 'user' ? actor.id : null, this.clock.now());
      await together(
        this.leads.update(tx, lead, ['status', 'updatedAt', 'reachedOutAt', 'reachedOutById']),
        this.recordChange(tx, actor, lead, before),
        this.audit.record(tx, actor, {
          action: 'lead.status_changed',
          targetKind: 'lead',
          targetId: id,
          details: { from: before, to: status },
        }),
      );
      whenCommitted(tx, () => {
        this.metrics.countMove(lead, before, isFirstMove);
      });
      return lead;
    });
  }

  /** Every move of the lead, oldest first. */
  async listStatusChanges(actor: Actor, id: string): Promise<LeadStatusChange[]> {
    await this.get(actor, id);
    return this.changes.listOf(id);
  }

  /** On record before a byte of it leaves. Throws `FileNotFound` when the bytes are gone, and what reading them throws. */
  async openResume(actor: Actor, id: string): Promise<LeadResume> {
    const lead = await this.get(actor, id);
    const { file, content } = await this.files.open(lead.resumePath);
    await this.audit.recordAlone(actor, {
      action: RESUME_DOWNLOADED,
      targetKind: 'lead',
      targetId: lead.id,
      details: { file_id: file.id },
    });
    return { file, content, name: resumeNameOf(lead) };
  }

  private mailsAbout(lead: Lead, file: StoredFile): OutgoingMail[] {
    const { attorneys, dashboardUrl } = this.config.mail;
    return [
      prospectConfirmation(lead),
      ...attorneys.map((each) => attorneyNotification(lead, each, file.originalName, dashboardUrl)),
    ];
  }

  private async recordConsent(
    tx: Tx,
    actor: Actor,
    { id, locale, createdAt: givenAt }: Lead,
    textVersion: string,
    language = locale,
  ): Promise<void> {
    await this.consents.insert(tx, id, { textVersion, locale: language, givenAt, ip: ipOf(actor) ?? '' });
  }

  private async recordChange(tx: Tx, actor: Actor, lead: Lead, from: LeadStatus | null): Promise<void> {
    const change = Object.assign(new LeadStatusChange(), {
      id: randomUUID(),
      leadId: lead.id,
      fromStatus: from,
      toStatus: lead.status,
      changedBy: nameOf(actor),
      changedById: actor.kind === 'user' ? actor.id : null,
      changedAt: lead.updatedAt,
    });
    await this.changes.insert(tx, change);
  }
}

/** Who gets what is sent to an address, as far as one can tell: what stands behind a plus is the owner's own. Not to be read back. */
function mailboxOf(email: string): string {
  return createHash('sha256')
    .update(email.replace(/\+[^@]*(?=@)/, ''))
    .digest('hex');
}
