import type { SettingValues } from './settings.js';

/** Where traces go, and which. */
export interface TracingConfig {
  /** Takes batches of spans. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** What all of them say of this process. */
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: SettingValues['OTEL_TRACES_SAMPLER'];
  /** Of those that are kept, from 0 to 1. */
  readonly share: number;
}

/** Undefined means: there are none. */
export function toTracingConfig(values: SettingValues): TracingConfig | undefined {
  const endpoint = values.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined || values.OTEL_SDK_DISABLED) return undefined;
  return {
    url: `${endpoint}/v1/traces`,
    headers: values.OTEL_EXPORTER_OTLP_HEADERS ?? {},
    timeoutMs: values.OTEL_EXPORTER_OTLP_TIMEOUT,
    resource: { ...values.OTEL_RESOURCE_ATTRIBUTES, 'service.name': values.OTEL_SERVICE_NAME },
    sampler: values.OTEL_TRACES_SAMPLER,
    share: values.OTEL_TRACES_SAMPLER_ARG,
  };
}
