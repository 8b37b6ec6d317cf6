import { Injectable } from '@nestjs/common';
import type { Configuration } from 'openid-client';
import { Clock } from '../../common/clock.js';
import type { ProviderSettings } from '../../config/provider-settings.js';

const KEPT_FOR_MS = 60 * 60_000;

/**
 * What was learnt of each provider, for an hour. Learnt when it is first needed, so that a provider that is away keeps nobody
 * from starting; a failure is not kept.
 */
@Injectable()
export class ProviderConnections {
  private readonly kept = new Map<string, { readonly found: Promise<Configuration>; readonly until: number }>();

  constructor(private readonly clock: Clock) {}

  /** All who ask at once wait for the same answer. Throws what `learn` throws. */
  async get({ id }: ProviderSettings, learn: () => Promise<Configuration>): Promise<Configuration> {
    const now = this.clock.now().getTime();
    const kept = this.kept.get(id);
    if (kept !== undefined && kept.until > now) return kept.found;
    const found = learn();
    this.kept.set(id, { found, until: now + KEPT_FOR_MS });
    try {
      return await found;
    } catch (error) {
      if (this.kept.get(id)?.found === found) this.kept.delete(id);
      throw error;
    }
  }
}
