import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { CONFIG, type Config } from '../../config/config.js';
import { SignInBusy } from '../auth.errors.js';
import { MOST_PASSWORD_BYTES, normalPassword } from './password-rules.js';

/** Passwords that may wait for a thread, some ten seconds of work; beyond that a sign-in is answered with 503. */
const MOST_WAITING = 32;

/** In an account's row where no password opens it. */
export const NO_PASSWORD = '!';

/** bcrypt in threads of its own, never more than this process's share of what the machine has to spare. */
@Injectable()
export class PasswordHasher implements OnModuleDestroy {
  private readonly pool: Piscina;

  constructor(@Inject(CONFIG) private readonly config: Config) {
    this.pool = new Piscina({
      filename: fileURLToPath(new URL('./password.worker.js', import.meta.url)),
      minThreads: 1,
      maxThreads: Math.max(1, Math.floor((availableParallelism() - 1) / this.config.processes)),
      maxQueue: MOST_WAITING,
      niceIncrement: 10,
    });
  }

  async onModuleDestroy(): Promise<void> {
    await this.pool.destroy();
  }

  /** A bcrypt hash with its own salt, of the normal form of a password that has at most 72 bytes in it. Throws `SignInBusy`. */
  async hash(password: string): Promise<string> {
    const normal = normalPassword(password);
    if (Buffer.byteLength(normal) > MOST_PASSWORD_BYTES) throw new Error('the password is too long to be hashed whole');
    return this.run<string>({ password: normal, rounds: this.config.auth.bcryptRounds });
  }

  /**
   * Whether the hash is of this password. Without a hash (nobody of that name, or nobody with a password), or with one of a
   * lower cost, takes as long as with one of today's. Throws `SignInBusy`.
   */
  async matches(password: string, kept: string | undefined): Promise<boolean> {
    const hash = kept === NO_PASSWORD ? undefined : kept;
    // a password from before there was a normal form was hashed as it came
    const spellings = [...new Set([normalPassword(password), password])];
    const whole = spellings.filter((each) => Buffer.byteLength(each) <= MOST_PASSWORD_BYTES);
    const same = await this.run<boolean>({
      passwords: whole.length === 0 ? [''] : whole,
      hash,
      rounds: this.config.auth.bcryptRounds,
    });
    return same && hash !== undefined && whole.length > 0;
  }

  /** Whether a hash was made at another cost than today's. */
  isOutdated(hash: string): boolean {
    return Number(/^\$2[aby]\$(\d\d)\$/.exec(hash)?.[1]) !== this.config.auth.bcryptRounds;
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
