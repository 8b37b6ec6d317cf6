import { Injectable } from '@nestjs/common';
import { type Counter, Metrics } from '../common/metrics.js';

@Injectable()
export class AlertsMetrics {
  private readonly raised: Counter;

  constructor(metrics: Metrics) {
    this.raised = metrics.counter(
      'forecourt_alerts_total',
      'Alerts that operators are told of, one of a cause in an hour',
    );
  }

  countRaised(): void {
    this.raised.inc();
  }
}
