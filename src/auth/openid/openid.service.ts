import { Inject, Injectable } from '@nestjs/common';
import { AuditService } from '../../audit/audit.service.js';
import { type Actor, sessionOf } from '../../common/actor.js';
import { AppError, UnprocessableFields } from '../../common/errors.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { ProviderSettings } from '../../config/provider-settings.js';
import { Transactions } from '../../database/transactions.js';
import { UsersService } from '../../users/users.service.js';
import type { SignInResponse } from '../auth.dto.js';
import { InvalidToken } from '../auth.errors.js';
import type { Client } from '../sessions/client.js';
import { SignIns } from '../sign-ins.js';
import { Arrivals } from './arrivals.js';
import { IdentitiesService } from './identities.service.js';
import type { OpenidFlow } from './openid-flow.entity.js';
import { type Departure, OpenidFlows } from './openid-flows.js';
import { OpenidAnswerInvalid, OpenidCodeInvalid, OpenidStateInvalid } from './openid.errors.js';
import { type Person, requireDomain } from './person.js';
import { Providers } from './providers.js';
import { isReturnPath } from './return-path.js';

/** The page of the dashboard that everybody comes back to; it finds everything else behind the #. */
const RETURN_PAGE = '/sign-in/complete';

interface Journey {
  readonly provider: string;
  /** Undefined cannot be: the route gives each browser its cookie. */
  readonly browser: string | undefined;
  readonly returnTo: string | undefined;
}

/** Signing in with a provider: to it, back from it, and what the browser gets for it. */
@Injectable()
export class OpenidService {
  constructor(
    private readonly providers: Providers,
    private readonly flows: OpenidFlows,
    private readonly arrivals: Arrivals,
    private readonly identities: IdentitiesService,
    private readonly signIns: SignIns,
    private readonly users: UsersService,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  listProviders(): readonly ProviderSettings[] {
    return this.providers.list();
  }

  /**
   * Where the browser has to go to sign in. Throws `OpenidProviderNotFound`, `OpenidProviderAway`, or `UnprocessableFields`
   * for a path that nobody is led to.
   */
  async begin(journey: Journey): Promise<string> {
    return this.depart(journey);
  }

  /** As {@link begin}, to link an identity to the caller's account. Throws `WrongPassword` as well. */
  async beginLinking(actor: Actor, journey: Journey, password: string | undefined): Promise<string> {
    if (actor.kind !== 'user') throw new InvalidToken();
    this.providers.get(journey.provider);
    await this.identities.requireOwner(actor, password);
    return this.depart(journey, { userId: actor.id, sessionId: sessionOf(actor) });
  }

  /**
   * Where a browser that the provider sent back has to go: always to the same page of the dashboard, with a code that is good
   * once, or with the code of a refusal. Throws `OpenidProviderNotFound`.
   */
  async receive(
    actor: Actor,
    providerId: string,
    browser: string | undefined,
    answer: URLSearchParams,
  ): Promise<{ readonly url: string }> {
    const provider = this.providers.get(providerId);
    try {
      const taken = await this.flows.takeReturned(provider.id, browser, answer.get('state'));
      if (taken === null) throw new OpenidStateInvalid();
      const person = await this.providers.personIn(provider, answer, taken.secrets);
      if (person.subject.length > 255) throw new OpenidAnswerInvalid();
      const found = await this.end(actor, provider, taken.flow, person);
      return { url: this.pageWith(found) };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      await this.recordRefusal(actor, provider.id, error.code);
      return { url: this.pageWith({ error: error.code, provider: provider.id }) };
    }
  }

  /** The tokens for a code, or the question for a second factor, once and in the browser that came back with it. Throws `OpenidCodeInvalid`. */
  async signIn(actor: Actor, client: Client, code: string, browser: string | undefined): Promise<SignInResponse> {
    const grant = await this.transactions.run(actor, async (tx) => {
      const flow = await this.flows.takeRedeemed(tx, code, browser);
      if (flow === null || flow.identityId === null) return null;
      const identity = await this.identities.findLocked(tx, flow.identityId);
      const user = identity === null ? null : await this.users.findIn(tx, identity.userId);
      if (identity === null || user === null) return null;
      const details = { provider: identity.provider, identity_id: identity.id };
      const begun = await this.signIns.complete(tx, actor, client, user, 'openid');
      if (begun !== null)
        await this.audit.record(tx, actor, { action: 'identity.used', targetKind: 'user', targetId: user.id, details });
      return begun;
    });
    if (grant === null) {
      await this.recordRefusal(actor, null, OpenidCodeInvalid.code);
      throw new OpenidCodeInvalid();
    }
    return this.signIns.answerTo(grant);
  }

  private async depart(
    { provider: id, browser, returnTo }: Journey,
    linking?: NonNullable<Departure['linking']>,
  ): Promise<string> {
    const provider = this.providers.get(id);
    if (browser === undefined) throw new Error('the browser was given no cookie');
    if (returnTo !== undefined && !isReturnPath(returnTo, this.config.singleSignOn.returnPaths))
      throw new UnprocessableFields({ fieldErrors: { return_to: ['Must be a path that OIDC_RETURN_PATHS allows'] } });
    const secrets = this.flows.prepare();
    const url = await this.providers.authorizationUrl(provider, secrets);
    const departure = { provider: id, browser, returnTo: returnTo ?? null };
    await this.flows.begin(linking === undefined ? departure : { ...departure, linking }, secrets);
    return url;
  }

  private async end(
    actor: Actor,
    provider: ProviderSettings,
    flow: OpenidFlow,
    person: Person,
  ): Promise<Record<string, string>> {
    const { subject, email } = person;
    const back: Record<string, string> = flow.returnTo === null ? {} : { return_to: flow.returnTo };
    if (flow.linkingUserId !== null) {
      requireDomain(provider, person);
      const linkCode = await this.transactions.run(actor, (tx) => this.flows.finish(tx, flow, { subject, email }));
      return { link_code: linkCode, ...back };
    }
    const identity = await this.arrivals.admit(actor, provider, person);
    const code = await this.transactions.run(actor, async (tx) => {
      await this.identities.noteUse(tx, identity, email);
      return this.flows.finish(tx, flow, { identityId: identity.id });
    });
    return { code, ...back };
  }

  /** Behind the #, which browsers send to no server and in no Referer. */
  private pageWith(found: Record<string, string>): string {
    return `${this.config.mail.dashboardUrl}${RETURN_PAGE}#${new URLSearchParams(found).toString()}`;
  }

  private async recordRefusal(actor: Actor, provider: string | null, reason: string): Promise<void> {
    await this.audit.recordSeldom(actor, {
      action: 'auth.openid_refused',
      targetKind: 'user',
      targetId: null,
      outcome: 'refused',
      details: { ...(provider === null ? {} : { provider }), reason },
    });
  }
}
