import { Inject, Injectable } from '@nestjs/common';
import { Resolver } from 'node:dns/promises';
import { CONFIG, type Config } from '../config/config.js';
import {
  dkimHint,
  dmarcHint,
  dmarcNamesOf,
  type PolicyHint,
  type PolicyResult,
  spfHint,
  type TxtRecords,
} from './sender-policies.js';

export type { PolicyHint, PolicyResult };

/** Injection token of the DNS resolver. */
export const DNS_RESOLVER = Symbol('dns resolver');

const ANSWER_WITHIN_MS = 2000;

/** One question, once: what is not answered by then is unknown. */
export const makeResolver = (): Resolver => new Resolver({ timeout: ANSWER_WITHIN_MS, tries: 1 });

/** That there is no such name or no such record, as DNS itself says. */
const ABSENT = new Set(['ENOTFOUND', 'ENODATA']);

export interface SenderPolicies {
  /** Of SMTP_FROM_EMAIL. */
  readonly domain: string;
  readonly spf: PolicyHint;
  readonly dkim: PolicyHint;
  readonly dmarc: PolicyHint;
}

/** What DNS says of the sender's domain. */
@Injectable()
export class MailDnsService {
  constructor(
    @Inject(DNS_RESOLVER) private readonly resolver: Resolver,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Within two seconds, whatever DNS does. */
  async look(): Promise<SenderPolicies> {
    const { dkim, fromEmail } = this.config.mail;
    const domain = (fromEmail.split('@')[1] ?? '').toLowerCase();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, ANSWER_WITHIN_MS, null);
    });
    const recordsOf = (name: string): Promise<TxtRecords> => Promise.race([late, this.ask(name)]);
    const [own, key, ...policies] = await Promise.all([
      recordsOf(domain),
      dkim === undefined ? null : recordsOf(`${dkim.selector}._domainkey.${dkim.domain}`),
      ...dmarcNamesOf(domain).map(recordsOf),
    ]);
    clearTimeout(timer);
    return { domain, spf: spfHint(own), dkim: dkimHint(key, dkim, domain), dmarc: dmarcHint(policies) };
  }

  private async ask(name: string): Promise<TxtRecords> {
    try {
      return (await this.resolver.resolveTxt(name)).map((chunks) => chunks.join(''));
    } catch (error) {
      return ABSENT.has(String((error as { readonly code?: unknown }).code)) ? [] : null;
    }
  }
}
