import { Socket } from 'node:net';
import pg from 'pg';
import type { Logger } from 'pino';

/** The server, or its address, is there and says nothing. SQLSTATE 08006: the connection failed. */
export class DatabaseSilent extends Error {
  readonly code = '08006';

  constructor() {
    super('PostgreSQL does not answer');
  }
}

const ASK_EVERY_MS = 500;
/** So often the next question was due before the last was answered: three seconds, in each of which this process was awake. */
const SILENT_AFTER_MISSED = 6;

/**
 * Asks a server twice a second, on a connection of its own, whether it is there. When it has said nothing for three seconds,
 * every connection whose socket was made here is cut. A statement may take as long as it likes while its server lives. Any
 * answer ends the silence, a refusal too: whoever asks hears that for himself.
 */
export class ServerWatch {
  isSilent = false;
  /** Called when the connections were cut. */
  onSilence: () => void = () => undefined;
  private readonly sockets = new Set<Socket>();
  private own: Socket | undefined;
  private client: pg.Client | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isAsking = false;
  private missed = 0;

  constructor(
    private readonly connectionString: string,
    private readonly logger: Logger,
  ) {}

  /** For a connection that ends when the server falls silent. */
  readonly makeSocket = (): Socket => {
    const socket = new Socket();
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    return socket;
  };

  start(): void {
    this.timer ??= setInterval(() => {
      this.tick();
    }, ASK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.own?.destroy();
  }

  private tick(): void {
    if (!this.isAsking) {
      this.missed = 0;
      void this.ask();
      return;
    }
    this.missed += 1;
    if (this.missed >= SILENT_AFTER_MISSED) this.fallSilent();
  }

  private async ask(): Promise<void> {
    this.isAsking = true;
    try {
      this.client ??= await this.connect();
      await this.client.query('SELECT 1');
      this.hear();
    } catch (error) {
      this.client = undefined;
      this.own?.destroy();
      if (!(error instanceof DatabaseSilent)) this.hear();
    } finally {
      this.isAsking = false;
    }
  }

  private async connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.connectionString,
      application_name: 'forecourt-watch',
      stream: () => (this.own = this.makeSocket()),
    });
    // the next question learns it
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  private fallSilent(): void {
    if (!this.isSilent) this.logger.error('PostgreSQL does not answer: every connection to it is cut');
    this.isSilent = true;
    const error = new DatabaseSilent();
    for (const socket of this.sockets) socket.destroy(error);
    this.onSilence();
  }

  private hear(): void {
    if (this.isSilent) this.logger.info('PostgreSQL answers again');
    this.isSilent = false;
  }
}
