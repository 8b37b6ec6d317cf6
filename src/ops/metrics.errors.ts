import { refusal, type RefusalDetails } from '../common/errors.js';

export class MetricsTokenInvalid extends refusal(401, 'METRICS_TOKEN_INVALID', 'Metrics need their own token') {
  constructor(details: RefusalDetails = {}) {
    super({ ...details, headers: { 'WWW-Authenticate': 'Bearer realm="forecourt metrics"', ...details.headers } });
  }
}
