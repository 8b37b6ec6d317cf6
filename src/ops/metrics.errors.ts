import { refusal } from '../common/errors.js';

export class MetricsTokenInvalid extends refusal(401, 'METRICS_TOKEN_INVALID', 'Metrics need their own token') {}
