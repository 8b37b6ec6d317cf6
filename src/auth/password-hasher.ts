import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { CONFIG, type Config } from '../config/config.js';
import { SignInBusy } from './auth.errors.js';

/** Passwords that may wait for a thread, some ten seconds of work; beyond that a sign-in is answered with 503. */
const MOST_WAITING = 32;
/** bcrypt ignores what comes after this many bytes. */
export const MOST_PASSWORD_BYTES = 72;

/** bcrypt in threads of its own, never more than the machine has to spare. */
@Injectable()
export class PasswordHasher implements OnModuleDestroy {
  private readonly pool: Piscina;
  /** A hash that no password has, of the cost that real ones have. */
  private readonly nobody: string;

  constructor(@Inject(CONFIG) private readonly config: Config) {
    this.nobody = `$2b$${String(config.auth.bcryptRounds).padStart(2, '0')}$abcdefghijklmnopqrstuu${'.'.repeat(31)}`;
    this.pool = new Piscina({
      filename: fileURLToPath(new URL('./password.worker.js', import.meta.url)),
      minThreads: 1,
      maxThreads: Math.max(1, availableParallelism() - 1),
      maxQueue: MOST_WAITING,
      niceIncrement: 10,
    });
  }

  async onModuleDestroy(): Promise<void> {
    await this.pool.destroy();
  }

  /** A bcrypt hash with its own salt. The password must have at most 72 bytes. */
  async hash(password: string): Promise<string> {
    return this.run<string>({ password, rounds: this.config.auth.bcryptRounds });
  }

  /** Whether the hash is of this password. Without a hash (nobody of that name) takes as long and says no. */
  async matches(password: string, hash: string | undefined): Promise<boolean> {
    const tooLong = Buffer.byteLength(password) > MOST_PASSWORD_BYTES;
    const same = await this.run<boolean>({ password, hash: hash ?? this.nobody });
    return same && hash !== undefined && !tooLong;
  }

  private async run<Result>(task: object): Promise<Result> {
    try {
      return (await this.pool.run(task)) as Result;
    } catch (error) {
      if (error instanceof Error && /queue is at limit/i.test(error.message)) throw new SignInBusy({ cause: error });
      throw error;
    }
  }
}
