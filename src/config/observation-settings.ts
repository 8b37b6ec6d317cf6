import { secret, optional, setting } from './setting.js';
import { flag, keyValues, oneOf, sentryAddress, share, text, webAddress, whole } from './setting-readers.js';

/** The settings of the group Tracing: OpenTelemetry's own names, with its meanings and defaults. */
export const OBSERVATION_SETTINGS = {
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    'Tracing',
    webAddress,
    'address of an OpenTelemetry collector, such as http://localhost:4318; traces go to /v1/traces below it; there are none when unset',
  ),
  OTEL_EXPORTER_OTLP_PROTOCOL: setting(
    'Tracing',
    oneOf('http/protobuf'),
    'http/protobuf',
    'how the collector is spoken to; there is no other way',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: secret(
    'Tracing',
    keyValues,
    'headers for the collector as name=value, comma separated and percent-encoded, such as a token',
  ),
  OTEL_EXPORTER_OTLP_TIMEOUT: setting(
    'Tracing',
    whole(100, 60_000),
    '10000',
    'milliseconds that the collector may take for a batch, which is dropped after that',
  ),
  OTEL_SDK_DISABLED: setting('Tracing', flag, 'false', 'switches tracing off whatever else is set'),
  OTEL_SERVICE_NAME: setting('Tracing', text, 'forecourt', 'what traces call this program'),
  OTEL_RESOURCE_ATTRIBUTES: optional(
    'Tracing',
    keyValues,
    'what else traces say of this process as name=value, comma separated, such as deployment.environment.name=production',
  ),
  OTEL_TRACES_SAMPLER: setting(
    'Tracing',
    oneOf(
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ),
    'parentbased_always_on',
    'which traces are kept: all, none, or a share; parentbased_ asks whoever began the trace first',
  ),
  OTEL_TRACES_SAMPLER_ARG: setting('Tracing', share, '1', 'the share of the samplers with traceidratio, from 0 to 1'),
  SENTRY_DSN: secret(
    'Tracing',
    sentryAddress,
    'address of a project at Sentry, or at a tracker that speaks its protocol, which hears of errors that nobody foresaw; nobody does when unset',
  ),
};
