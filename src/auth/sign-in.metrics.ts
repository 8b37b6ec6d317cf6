import { Injectable } from '@nestjs/common';
import { type Counter, Metrics } from '../common/metrics.js';

const METHODS = ['password', 'magic_link', 'openid', 'passkey', 'second_factor'];
const OUTCOMES = ['succeeded', 'challenged', 'refused'];

export type SignInOutcome = 'succeeded' | 'challenged' | 'refused';

/** How sign-ins end in this process. `challenged`: by the first step, and a second one is due. */
@Injectable()
export class SignInMetrics {
  private readonly signIns: Counter<'method' | 'outcome'>;

  constructor(metrics: Metrics) {
    this.signIns = metrics.counter('forecourt_sign_ins_total', 'Steps of sign-ins, by how they ended', {
      method: METHODS,
      outcome: OUTCOMES,
    });
  }

  count(method: string, outcome: SignInOutcome): void {
    this.signIns.inc({ method: METHODS.includes(method) ? method : 'second_factor', outcome });
  }
}
