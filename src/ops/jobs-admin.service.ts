import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import type { Actor } from '../common/actor.js';
import type { Rows } from '../common/pagination.js';
import { Transactions, type Tx } from '../database/transactions.js';
import { type BuriedJob, JobRecordsService, type JobsStatus } from '../jobs/job-records.service.js';

/** The background work in the hands of an admin; what an admin changes is on record. */
@Injectable()
export class JobsAdminService {
  constructor(
    private readonly records: JobRecordsService,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
  ) {}

  async status(): Promise<JobsStatus> {
    return this.records.status();
  }

  async listBuried(page: number, size: number): Promise<Rows<BuriedJob>> {
    return this.records.listBuried(page, size);
  }

  /** Throws `JobNotFound`. */
  async retry(actor: Actor, id: string): Promise<void> {
    await this.change(actor, 'job.retried', id, (tx) => this.records.retry(tx, id));
  }

  /** Throws `JobNotFound`. */
  async discard(actor: Actor, id: string): Promise<void> {
    await this.change(actor, 'job.discarded', id, (tx) => this.records.discard(tx, id));
  }

  private async change(actor: Actor, action: string, id: string, work: (tx: Tx) => Promise<string>): Promise<void> {
    await this.transactions.run(actor, async (tx) => {
      const details = { job_id: id, name: await work(tx) };
      await this.audit.record(tx, actor, { action, targetKind: 'job', targetId: null, details });
    });
  }
}
