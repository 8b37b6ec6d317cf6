import { Injectable } from '@nestjs/common';
import { type Counter, Metrics } from '../common/metrics.js';

/** What this process takes in, and what scans say of it. */
@Injectable()
export class FilesMetrics {
  private readonly uploads: Counter<'outcome'>;
  private readonly uploadedBytes: Counter;
  private readonly scans: Counter<'verdict'>;

  constructor(metrics: Metrics) {
    this.uploads = metrics.counter(
      'forecourt_uploads_total',
      'Uploads that were received whole and of an allowed type',
      {
        outcome: ['stored', 'quarantined', 'failed'],
      },
    );
    this.uploadedBytes = metrics.counter('forecourt_uploaded_bytes_total', 'Content of the uploads that were stored');
    this.scans = metrics.counter('forecourt_scans_total', 'Files that were looked at for malware', {
      verdict: ['clean', 'infected', 'none'],
    });
  }

  countStored(sizeBytes: number): void {
    this.uploads.inc({ outcome: 'stored' });
    this.uploadedBytes.inc(sizeBytes);
  }

  countUnstored(outcome: 'quarantined' | 'failed'): void {
    this.uploads.inc({ outcome });
  }

  /** `none`: the scanner was not to be had, or the file not to be read. */
  countScan(verdict: 'clean' | 'infected' | 'none'): void {
    this.scans.inc({ verdict });
  }
}
