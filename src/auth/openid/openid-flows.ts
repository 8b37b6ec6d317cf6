import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { Clock } from '../../common/clock.js';
import { hashOfSecret, newRandomSecret } from '../../common/random-secret.js';
import { SealedValues } from '../../common/sealed-values.js';
import { Transactions, type Tx } from '../../database/transactions.js';
import { OpenidFlow } from './openid-flow.entity.js';
import { OpenidFlowsRepository } from './openid-flows.repository.js';
import type { FlowSecrets } from './providers.js';

/** From leaving for the provider to the return. */
export const FLOW_MINUTES = 10;
/** From the return to the tokens; a page does that at once. */
const CODE_MINUTES = 2;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const AT_A_TIME = 1000;

export interface Departure {
  readonly provider: string;
  readonly browser: string;
  readonly returnTo: string | null;
  /** Whoever wants to link; undefined for a sign-in. */
  readonly linking?: { readonly userId: string; readonly sessionId: string | undefined };
}

/** What a flow ends with: somebody signs in, or an identity waits to be linked. */
export type Arrival = { readonly identityId: string } | { readonly subject: string; readonly email: string | null };

/** Ways to a provider and back. What binds them is kept as hashes, or sealed where it must be read again. */
@Injectable()
export class OpenidFlows {
  constructor(
    private readonly flows: OpenidFlowsRepository,
    private readonly sealed: SealedValues,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /** New secrets of a flow that is not written yet: first the provider must be there. */
  prepare(): FlowSecrets {
    return { state: newRandomSecret().text, nonce: newRandomSecret().text, verifier: newRandomSecret().text };
  }

  async begin({ provider, browser, returnTo, linking }: Departure, secrets: FlowSecrets): Promise<void> {
    const id = randomUUID();
    const createdAt = this.clock.now();
    const { state, nonce, verifier } = secrets;
    const flow = Object.assign(new OpenidFlow(), {
      id,
      provider,
      stateHash: hashOfSecret(state),
      browserHash: hashOfSecret(browser),
      secrets: await this.sealed.seal(purposeOf(id), JSON.stringify([nonce, verifier])),
      returnTo,
      linkingUserId: linking?.userId ?? null,
      linkingSessionId: linking?.sessionId ?? null,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + FLOW_MINUTES * MINUTE_MS),
    });
    await this.transactions.run((tx) => this.flows.insert(tx, flow));
  }

  /** The flow with its secrets, once, for the browser that began it; null otherwise. */
  async takeReturned(
    provider: string,
    browser: string | undefined,
    state: string | null,
  ): Promise<{ readonly flow: OpenidFlow; readonly secrets: FlowSecrets } | null> {
    if (browser === undefined || state === null) return null;
    const wanted = { provider, stateHash: hashOfSecret(state), browserHash: hashOfSecret(browser) };
    const flow = await this.transactions.run((tx) => this.flows.takeReturned(tx, wanted, this.clock.now()));
    if (flow === null) return null;
    const [nonce = '', verifier = ''] = JSON.parse(
      await this.sealed.open(purposeOf(flow.id), flow.secrets),
    ) as string[];
    return { flow, secrets: { state, nonce, verifier } };
  }

  /** A code for the browser that has returned, good once. */
  async finish(tx: Tx, flow: OpenidFlow, arrival: Arrival): Promise<string> {
    const { text: code, hash } = newRandomSecret();
    Object.assign(flow, {
      codeHash: hash,
      codeExpiresAt: new Date(this.clock.now().getTime() + CODE_MINUTES * MINUTE_MS),
      ...arrival,
    });
    await this.flows.update(tx, flow, ['codeHash', 'codeExpiresAt', 'identityId', 'subject', 'email']);
    return code;
  }

  /** The flow of a code, once, for the browser that it was handed to; null otherwise. */
  async takeRedeemed(tx: Tx, code: string, browser: string | undefined): Promise<OpenidFlow | null> {
    if (browser === undefined) return null;
    return this.flows.takeRedeemed(tx, hashOfSecret(code), hashOfSecret(browser), this.clock.now());
  }

  /** The job: removes flows of more than a day ago. Running it twice does no harm. */
  async sweep(): Promise<void> {
    const before = new Date(this.clock.now().getTime() - DAY_MS);
    while ((await this.flows.removeBegunBefore(before, AT_A_TIME)) === AT_A_TIME);
  }
}

const purposeOf = (id: string): string => `openid_flows:${id}:secrets`;
