import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { Logger } from 'pino';
import { ApplicationSecret } from '../../common/application-secret.js';
import { LOGGER } from '../../common/logging.js';
import { CONFIG, type Config } from '../../config/config.js';
import { KeyFolder, READ_AGAIN_AFTER_MS } from './key-folder.js';
import { isPublic, type PublicAlgorithm, readKeyFile, type SigningKey, toSecretKey } from './signing-key.js';

/** A stranger who makes up key ids has the folder read no more often than this. */
const LOOK_AGAIN_AFTER_MS = 1000;

/**
 * The keys of access tokens: one that signs, and for a while those before it, told apart by the token's `kid`. All are of
 * the one algorithm that is set. Keys of the folder are read anew now and then, so that a rotation needs no restart.
 */
@Injectable()
export class SigningKeys implements OnModuleInit, OnModuleDestroy {
  private readonly logger: Logger;
  private keys: readonly SigningKey[] = [];
  private readAt = -Infinity;
  private reading: Promise<void> | undefined;
  private reader: NodeJS.Timeout | undefined;

  constructor(
    private readonly folder: KeyFolder,
    private readonly secret: ApplicationSecret,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'auth' });
  }

  /** Rejects when there is nothing to sign with. */
  async onModuleInit(): Promise<void> {
    const { algorithm, privateKeys } = this.config.auth;
    if (!isPublic(algorithm)) {
      this.keys = (await this.secret.all()).map((secret) => toSecretKey(secret, algorithm));
    } else if (privateKeys.length > 0) {
      this.keys = await Promise.all(privateKeys.map(({ id, path }) => readKeyFile(id, path)));
      const other = this.keys.find((key) => key.algorithm !== algorithm);
      if (other !== undefined) throw new Error(`The key ${other.id} of JWT_PRIVATE_KEYS is not one for ${algorithm}`);
    } else await this.openFolder(algorithm);
  }

  onModuleDestroy(): void {
    clearInterval(this.reader);
  }

  get current(): SigningKey {
    const [current] = this.keys;
    if (current === undefined) throw new Error('the signing keys are not loaded yet');
    return current;
  }

  /** All keys whose tokens are taken, the one that signs first. */
  get all(): readonly SigningKey[] {
    return this.keys;
  }

  /** The key of this id; without an id, as older tokens are, the current one. */
  find(id: string | undefined): SigningKey | undefined {
    return id === undefined ? this.current : this.keys.find((each) => each.id === id);
  }

  /** The same, for a key that another process may just have begun to sign with. */
  async findAgain(id: string | undefined): Promise<SigningKey | undefined> {
    if (this.reader === undefined || performance.now() - this.readAt < LOOK_AGAIN_AFTER_MS) return undefined;
    await this.readFolder();
    return this.find(id);
  }

  private async openFolder(algorithm: PublicAlgorithm): Promise<void> {
    this.keys = await this.folder.read(algorithm);
    if (this.keys.length === 0) {
      if (this.config.isProduction)
        throw new Error(
          `There is no key for ALGORITHM=${algorithm}: make one with npm run keys:rotate, or set JWT_PRIVATE_KEYS`,
        );
      await this.folder.make(algorithm);
      this.keys = await this.folder.read(algorithm);
    }
    this.reader = setInterval(() => void this.readFolder(), READ_AGAIN_AFTER_MS).unref();
  }

  private readFolder(): Promise<void> {
    this.reading ??= this.readNow().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  private async readNow(): Promise<void> {
    const { algorithm } = this.config.auth;
    this.readAt = performance.now();
    if (!isPublic(algorithm)) return;
    try {
      const keys = await this.folder.read(algorithm);
      if (keys.length > 0) this.keys = keys;
    } catch (error) {
      this.logger.error({ err: error }, 'the signing keys could not be read anew; those of before go on');
    }
  }
}
