import { type Context, ROOT_CONTEXT, type Span, SpanKind as Kind, SpanStatusCode, trace } from '@opentelemetry/api';
import { parseTraceParent, setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  TracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { type OpenSpan, type SpanAttributes, type SpanKind, type SpanPlan, Tracing } from './tracing.js';

type Settings = NonNullable<Config['tracing']>;

const KINDS: Readonly<Record<SpanKind, Kind>> = { server: Kind.SERVER, client: Kind.CLIENT, consumer: Kind.CONSUMER };
const CLOSE_WITHIN_MS = 3_000;
/** A collector that is away is told of so often. */
const WARN_EVERY_MS = 60_000;

/** Sends spans to a collector over OTLP, several at a time, in the background; what it cannot take is dropped. */
export class OtlpTracing extends Tracing {
  readonly isOn = true;
  private readonly present = new AsyncLocalStorage<Span>();
  private readonly provider: TracerProvider;
  private warnedAt = -Infinity;

  constructor(settings: Settings, version: string, logger: Logger) {
    super();
    const { url, headers, timeoutMs } = settings;
    setGlobalErrorHandler((error) => {
      if (performance.now() - this.warnedAt < WARN_EVERY_MS) return;
      this.warnedAt = performance.now();
      logger.warn({ logger: 'tracing', err: error }, 'the collector did not take spans, which are dropped');
    });
    this.provider = new TracerProvider({
      resource: resourceFromAttributes({ ...settings.resource, 'service.version': version }),
      sampler: samplerOf(settings),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: timeoutMs }),
        }),
      ],
    });
  }

  begin(name: string, { kind, attributes, from }: SpanPlan): OpenSpan {
    const options = { kind: KINDS[kind], ...(attributes === undefined ? {} : { attributes }) };
    const span = this.provider.getTracer('forecourt').startSpan(name, options, this.parentOf(from));
    return new OtlpSpan(span, this.present);
  }

  get isWithin(): boolean {
    return this.present.getStore()?.isRecording() === true;
  }

  get traceparent(): string | undefined {
    const span = this.present.getStore();
    if (span === undefined) return undefined;
    const { traceId, spanId, traceFlags } = span.spanContext();
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  }

  get traceId(): string | undefined {
    return this.present.getStore()?.spanContext().traceId;
  }

  async close(): Promise<void> {
    const closed = this.provider.shutdown().catch(() => undefined);
    await Promise.race([closed, sleep(CLOSE_WITHIN_MS, undefined, { ref: false })]);
  }

  private parentOf(from: string | undefined): Context {
    const remote = from === undefined ? null : parseTraceParent(from);
    if (remote !== null) return trace.setSpanContext(ROOT_CONTEXT, { ...remote, isRemote: true });
    const span = this.present.getStore();
    return span === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, span);
  }
}

class OtlpSpan implements OpenSpan {
  constructor(
    private readonly span: Span,
    private readonly present: AsyncLocalStorage<Span>,
  ) {}

  get traceId(): string {
    return this.span.spanContext().traceId;
  }

  within<T>(work: () => T): T {
    return this.present.run(this.span, work);
  }

  rename(name: string): void {
    this.span.updateName(name);
  }

  set(attributes: SpanAttributes): void {
    this.span.setAttributes(attributes);
  }

  fail(error: unknown): void {
    // without a message, which may name a person
    this.span.setStatus({ code: SpanStatusCode.ERROR });
    this.span.setAttribute('error.type', typeof error === 'string' ? error : kindOf(error));
  }

  end(): void {
    this.span.end();
  }
}

/** The code of an error where it has one, such as 23505 or ECONNREFUSED, or its class. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return '_OTHER';
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^\w{1,50}$/.test(code) ? code : error.constructor.name;
}

/** As OTEL_TRACES_SAMPLER says. */
function samplerOf({ sampler, share }: Settings): Sampler {
  const roots: Readonly<Record<string, () => Sampler>> = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(share),
  };
  const root = (roots[sampler.replace('parentbased_', '')] ?? (() => new AlwaysOffSampler()))();
  return sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}
