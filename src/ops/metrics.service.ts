import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { LOGGER } from '../common/logging.js';
import { type Gauge, Metrics } from '../common/metrics.js';
import { FilesService } from '../files/files.service.js';
import { JobRecordsService } from '../jobs/job-records.service.js';
import { MailStatusService } from '../mail/mail-status.service.js';

/** Something that must be asked for, and may not answer. */
interface Source {
  readonly name: string;
  /** However often metrics are scraped. */
  readonly everyMs: number;
  /** What is known of it is forgotten when it does not answer: an old number would look like a new one. */
  readonly gauges: readonly Gauge[];
  readonly byState?: Gauge<'state'>;
  readonly read: () => Promise<void>;
}

const READ_WITHIN_MS = 2_000;
const RECENT_MS = 5_000;
/** The sum over all files costs more the more there are. */
const USE_IS_RECENT_FOR_MS = 600_000;
/** Jobs and mails beyond are not counted: a backlog must not make its own measurement slow. */
const MOST_ROWS = 10_000;

/** Everything that is measured, when somebody asks. Never rejects for what is away: that is itself told. */
@Injectable()
export class MetricsService {
  private readonly logger: Logger;
  private readonly isUp: Gauge<'source'>;
  private readonly sources: readonly Source[];
  private readonly readAt = new Map<string, number>();
  private readonly reading = new Map<string, Promise<void>>();

  constructor(
    private readonly metrics: Metrics,
    private readonly jobs: JobRecordsService,
    private readonly mail: MailStatusService,
    private readonly files: FilesService,
    private readonly http: HttpAdapterHost,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'metrics' });
    this.isUp = metrics.gauge(
      'forecourt_source_up',
      '1 while the source of some of these metrics answers; its metrics are missing while it does not',
      ['source'],
    );
    this.sources = [
      this.jobsSource(),
      this.mailSource(),
      this.roomSource(),
      this.useSource(),
      this.connectionsSource(),
    ];
  }

  get contentType(): string {
    return this.metrics.registry.contentType;
  }

  /** In the text format of Prometheus. */
  async expose(): Promise<string> {
    await Promise.all(this.sources.map((source) => this.refresh(source)));
    return this.metrics.registry.metrics();
  }

  private async refresh(source: Source): Promise<void> {
    const { name, everyMs } = source;
    if (performance.now() - (this.readAt.get(name) ?? -Infinity) < everyMs) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer within ${READ_WITHIN_MS} ms`));
      }, READ_WITHIN_MS);
    });
    try {
      await Promise.race([this.read(source), late]);
    } catch (error) {
      this.forget(source);
      this.logger.warn({ source: name, err: error }, 'metrics are without a source');
    } finally {
      clearTimeout(timer);
    }
  }

  /** One reading at a time, however many scrapes come while it gets no answer. */
  private read(source: Source): Promise<void> {
    const { name } = source;
    const under = this.reading.get(name);
    if (under !== undefined) return under;
    const reading = source
      .read()
      .then(() => {
        this.readAt.set(name, performance.now());
        this.isUp.set({ source: name }, 1);
      })
      .finally(() => this.reading.delete(name));
    // it may fail when nobody waits for it any more
    reading.catch(() => undefined);
    this.reading.set(name, reading);
    return reading;
  }

  private forget({ name, gauges, byState }: Source): void {
    this.isUp.set({ source: name }, 0);
    for (const gauge of gauges) gauge.remove();
    byState?.reset();
  }

  private jobsSource(): Source {
    const depth = this.metrics.gauge('forecourt_jobs', `Jobs by state, at most ${MOST_ROWS} in all`, ['state']);
    const age = this.metrics.gauge(
      'forecourt_job_oldest_waiting_seconds',
      'How long the oldest job that is due has waited',
    );
    const workers = this.metrics.gauge('forecourt_job_workers', 'Processes that live and run jobs');
    return {
      name: 'jobs',
      everyMs: RECENT_MS,
      gauges: [age, workers],
      byState: depth,
      read: async () => {
        const [{ waiting, later, running, buried, oldestWaitingSeconds }, alive] = await Promise.all([
          this.jobs.count(MOST_ROWS),
          this.jobs.countWorkers(),
        ]);
        for (const [state, count] of Object.entries({ waiting, later, running, buried })) depth.set({ state }, count);
        age.set(oldestWaitingSeconds);
        workers.set(alive);
      },
    };
  }

  private mailSource(): Source {
    const waiting = this.metrics.gauge('forecourt_mail_waiting', `Mails that are owed, at most ${MOST_ROWS} in all`, [
      'state',
    ]);
    const age = this.metrics.gauge(
      'forecourt_mail_oldest_waiting_seconds',
      'How long the oldest mail that is owed has waited',
    );
    const isPaused = this.metrics.gauge('forecourt_mail_paused', '1 while mail waits for its server to come back');
    return {
      name: 'mail',
      everyMs: RECENT_MS,
      gauges: [age, isPaused],
      byState: waiting,
      read: async () => {
        const { due, held, oldestSeconds, isPaused: paused } = await this.mail.waiting(MOST_ROWS);
        waiting.set({ state: 'due' }, due);
        waiting.set({ state: 'held' }, held);
        age.set(oldestSeconds);
        isPaused.set(paused ? 1 : 0);
      },
    };
  }

  private roomSource(): Source {
    const free = this.metrics.gauge('forecourt_storage_free_bytes', 'Free on the disk of the upload folder');
    return {
      name: 'room',
      everyMs: 0,
      gauges: [free],
      read: async () => {
        free.set(await this.files.freeBytes());
      },
    };
  }

  private useSource(): Source {
    const used = this.metrics.gauge('forecourt_storage_used_bytes', 'Content of all files; up to ten minutes old');
    const files = this.metrics.gauge('forecourt_storage_files', 'Files that are kept; up to ten minutes old');
    return {
      name: 'files',
      everyMs: USE_IS_RECENT_FOR_MS,
      gauges: [used, files],
      read: async () => {
        const usage = await this.files.usage();
        used.set(usage.usedBytes);
        files.set(usage.files);
      },
    };
  }

  private connectionsSource(): Source {
    const connections = this.metrics.gauge('forecourt_http_connections', 'Open connections of clients');
    return {
      name: 'connections',
      everyMs: 0,
      gauges: [connections],
      read: async () => {
        const server = this.http.httpAdapter.getHttpServer() as Server;
        connections.set(
          await new Promise<number>((resolve, reject) => {
            server.getConnections((error, count) => {
              if (error === null) resolve(count);
              else reject(error);
            });
          }),
        );
      },
    };
  }
}
