import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import type { Actor } from '../common/actor.js';
import { Transactions, type Tx } from '../database/transactions.js';
import { FilesService } from '../files/files.service.js';
import { MailService } from '../mail/mail.service.js';
import { LegalHoldsService } from '../persons/legal-holds.service.js';
import type { Lead } from './lead.entity.js';
import { LeadNotFound } from './leads.errors.js';
import { LeadsRepository } from './leads.repository.js';

const BY_RULE: Actor = { kind: 'system', name: 'privacy' };

/** The end of a lead. */
@Injectable()
export class LeadRemoval {
  constructor(
    private readonly leads: LeadsRepository,
    private readonly files: FilesService,
    private readonly mail: MailService,
    private readonly holds: LegalHoldsService,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Deletes a lead with its story, its mails and its résumé. Of any number at once one deletes it. Throws `LeadNotFound` and
   * `PersonOnHold`.
   */
  async remove(actor: Actor, id: string): Promise<void> {
    const found = await this.leads.findById(id);
    if (found === null) throw new LeadNotFound();
    await this.transactions.run(actor, async (tx) => {
      await this.holds.beginDeletion(tx, found.email);
      const lead = await this.leads.lockById(tx, id);
      if (lead === null) throw new LeadNotFound();
      await this.removeLocked(tx, actor, lead, {});
    });
  }

  /**
   * Deletes at most so many leads that were reached and not touched since, except those of these addresses; returns how many. Call
   * it while nobody can be put on hold.
   */
  async removeUntouched(tx: Tx, before: Date, exceptOf: readonly string[], most: number): Promise<number> {
    const leads = await this.leads.lockUntouched(tx, before, exceptOf, most);
    for (const lead of leads) await this.removeLocked(tx, BY_RULE, lead, { rule: 'RETENTION_LEADS_DAYS' });
    return leads.length;
  }

  private async removeLocked(tx: Tx, actor: Actor, { id }: Lead, why: object): Promise<void> {
    const about = { kind: 'lead', id };
    // the row first: it names its résumé
    await this.leads.remove(tx, id);
    const files = await this.files.remove(tx, about);
    const mails = await this.mail.forgetAbout(tx, about);
    await this.audit.record(tx, actor, {
      action: 'lead.deleted',
      targetKind: 'lead',
      targetId: id,
      details: { files, mails, ...why },
    });
  }
}
