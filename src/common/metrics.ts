import { Inject, Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { CONFIG, type Config } from '../config/config.js';

export type { Counter, Gauge, Histogram };

/** The values that each label can have; a series exists from the start for every combination of them. */
type LabelValues<Label extends string> = Readonly<Record<Label, readonly string[]>>;

/**
 * What this process counts and measures, for Prometheus. Counters are the process's own and begin at 0 with it: Prometheus adds
 * up the processes and knows of restarts. Labels have few values, which no caller from outside can choose.
 */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  /** Whether anybody can ask for them. What costs more than a number in memory is measured only then. */
  readonly isOn: boolean;

  constructor(@Inject(CONFIG) { metrics: { port, token } }: Config) {
    this.isOn = port !== undefined || token !== undefined;
    // event loop, memory, processor time, open files
    if (this.isOn) collectDefaultMetrics({ register: this.registry });
  }

  counter<Label extends string = never>(name: string, help: string, labels?: LabelValues<Label>): Counter<Label> {
    const counter = new Counter<Label>({ name, help, labelNames: namesOf(labels), registers: [this.registry] });
    for (const combination of combinationsOf(labels)) counter.inc(combination, 0);
    return counter;
  }

  /** What others count, by the one label; `read` is asked at each scrape. */
  total(name: string, help: string, label: string, read: () => Readonly<Record<string, number>>): void {
    const counter = new Counter({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect: () => {
        counter.reset();
        for (const [value, total] of Object.entries(read())) counter.inc({ [label]: value }, total);
      },
    });
  }

  /** `values` when they are known from the start; otherwise only the names of labels. */
  histogram<Label extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels: { readonly names?: readonly Label[]; readonly values?: LabelValues<Label> } = {},
  ): Histogram<Label> {
    const { values, names = namesOf(values) } = labels;
    const histogram = new Histogram<Label>({
      name,
      help,
      buckets: [...buckets],
      labelNames: [...names],
      registers: [this.registry],
    });
    if (values !== undefined) for (const combination of combinationsOf(values)) histogram.zero(combination);
    return histogram;
  }

  /** `read` is asked at each scrape. */
  gauge<Label extends string = never>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
    read?: (gauge: Gauge<Label>) => void,
  ): Gauge<Label> {
    const gauge: Gauge<Label> = new Gauge<Label>({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
      ...(read === undefined
        ? {}
        : {
            collect: () => {
              read(gauge);
            },
          }),
    });
    return gauge;
  }
}

function namesOf<Label extends string>(labels: LabelValues<Label> | undefined): Label[] {
  return Object.keys(labels ?? {}) as Label[];
}

function combinationsOf<Label extends string>(labels: LabelValues<Label> | undefined): Record<Label, string>[] {
  let combinations: Partial<Record<Label, string>>[] = [{}];
  for (const name of namesOf(labels))
    combinations = combinations.flatMap((each) => (labels?.[name] ?? []).map((value) => ({ ...each, [name]: value })));
  return combinations as Record<Label, string>[];
}
