export type SpanKind = 'server' | 'client' | 'consumer';

/** What is told of a span: names, codes and numbers; never a value that somebody sent, an address or the text of an error. */
export type SpanAttributes = Readonly<Record<string, string | number | undefined>>;

export interface SpanPlan {
  readonly kind: SpanKind;
  readonly attributes?: SpanAttributes;
  /** What it continues, as `traceparent` of W3C Trace Context, from wherever it comes; otherwise it is under the present span. */
  readonly from?: string | undefined;
}

/** A piece of work that has begun and that a trace shows once it has ended. */
export interface OpenSpan {
  readonly traceId: string;
  /** Everything that `work` begins, awaited or not, is under this span. */
  within<T>(work: () => T): T;
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /** Marks it as failed, with the kind of the failure alone. */
  fail(error: unknown): void;
  end(): void;
}

/** What a process tells of its work to a collector. Off unless it was asked for; then it costs a question whether it is on. */
export abstract class Tracing {
  abstract readonly isOn: boolean;

  abstract begin(name: string, plan: SpanPlan): OpenSpan;

  /** Whether there is a present span, and it goes on. */
  abstract get isWithin(): boolean;

  /** Of the present span, for whoever continues it elsewhere or later. */
  abstract get traceparent(): string | undefined;

  abstract get traceId(): string | undefined;

  /** Hands over what is not yet told, for three seconds at most. Never rejects. */
  abstract close(): Promise<void>;

  /** Shows `work` as a span, and passes on what it gives or throws. */
  async span<T>(name: string, plan: SpanPlan, work: () => Promise<T>): Promise<T> {
    if (!this.isOn) return work();
    const span = this.begin(name, plan);
    try {
      return await span.within(work);
    } catch (error) {
      span.fail(error);
      throw error;
    } finally {
      span.end();
    }
  }

  /** As {@link span}, of something that is asked of another program; not shown where it belongs to nothing that is shown. */
  step<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T> {
    return this.isWithin ? this.span(name, { kind: 'client', attributes }, work) : work();
  }
}

class NoTracing extends Tracing {
  readonly isOn = false;
  readonly isWithin = false;
  readonly traceparent = undefined;
  readonly traceId = undefined;

  begin(): OpenSpan {
    throw new Error('tracing is off');
  }

  async close(): Promise<void> {
    // there is nothing to tell
  }
}

export const NO_TRACING: Tracing = new NoTracing();
