import { createPrivateKey, createPublicKey } from 'node:crypto';

/** ok: as it should be · weak: there, and not enough · missing: not there · unknown: DNS gave no answer, or nobody can tell */
export type PolicyResult = 'ok' | 'weak' | 'missing' | 'unknown';

/** What DNS says of a sender's domain, and what to do about it. */
export interface PolicyHint {
  readonly result: PolicyResult;
  /** For a person. */
  readonly sentence: string;
  /** As it stands in DNS; null when there is none. */
  readonly record: string | null;
}

/** The TXT records of a name, none where there is none; null when DNS gave no answer. */
export type TxtRecords = readonly string[] | null;

const hint = (result: PolicyResult, sentence: string, record: string | null = null): PolicyHint => ({
  result,
  sentence,
  record,
});
const NO_ANSWER = hint('unknown', 'DNS gave no answer in time.');

/** Which servers may send for the domain. RFC 7208. */
export function spfHint(records: TxtRecords): PolicyHint {
  if (records === null) return NO_ANSWER;
  const found = records.filter((record) => /^v=spf1( |$)/i.test(record));
  const [record] = found;
  if (record === undefined)
    return hint('missing', 'No SPF record: publish one that names your mail server and ends in -all.');
  if (found.length > 1)
    return hint('weak', 'More than one SPF record, which receivers treat as an error: keep one.', found.join('\n'));
  const terms = record.toLowerCase().split(/ +/);
  // what stands behind the first "all" is never looked at
  const last = terms.find((term) => /^[-~+?]?all$/.test(term));
  if (terms[1] === '-all' || terms[1] === '~all')
    return hint('weak', 'The SPF record lets nobody send: name your mail server before its end.', record);
  if (last === '-all' || last === '~all')
    return hint('ok', 'An SPF record names who may send; check that your mail server is among them.', record);
  if (last !== undefined)
    return hint('weak', 'The SPF record allows every server to send: let it end in -all or ~all.', record);
  if (terms.some((term) => term.startsWith('redirect=')))
    return hint('ok', 'The SPF record refers to that of another domain; check that it names your mail server.', record);
  return hint('weak', 'The SPF record refuses nobody: let it end in -all or ~all.', record);
}

export interface Signing {
  readonly domain: string;
  readonly selector: string;
  readonly privateKey: string;
}

/** Whether receivers find the key that signs. RFC 6376. Without signing of our own nobody can tell whether the server signs. */
export function dkimHint(records: TxtRecords, signing: Signing | undefined, senderDomain: string): PolicyHint {
  if (signing === undefined)
    return hint(
      'unknown',
      'Forecourt does not sign (DKIM_DOMAIN is not set); whether your mail server does, its own guide says.',
    );
  if (records === null) return NO_ANSWER;
  const { domain, selector } = signing;
  const tagged = records.map((record) => ({ record, tags: tagsOf(record) }));
  const found = tagged.find(({ tags }) => tags.has('p'));
  if (found === undefined)
    return hint('missing', `No key at ${selector}._domainkey.${domain}: publish the public part of the key there.`);
  const { record, tags } = found;
  const published = (tags.get('p') ?? '').replace(/\s/g, '');
  if (published === '') return hint('missing', 'The published key is empty, which revokes it.', record);
  if (published !== publicPartOf(signing.privateKey))
    return hint('weak', 'The published key is not that of DKIM_PRIVATE_KEY: signatures fail.', record);
  if (!isWithin(senderDomain, domain) && !isWithin(domain, senderDomain))
    return hint(
      'weak',
      `Mails are signed for ${domain} but sent from ${senderDomain}: DMARC does not count that.`,
      record,
    );
  return hint('ok', 'The published key is the one that signs.', record);
}

/** What receivers do with mail that fails both. RFC 7489. From the domain itself upward: the first that has a record counts. */
export function dmarcHint(byDomain: readonly TxtRecords[]): PolicyHint {
  for (const [index, records] of byDomain.entries()) {
    if (records === null) return NO_ANSWER;
    const found = records.filter((record) => /^v=DMARC1\s*(;|$)/i.test(record));
    const [record] = found;
    if (record === undefined) continue;
    if (found.length > 1)
      return hint('weak', 'More than one DMARC record, which receivers ignore: keep one.', found.join('\n'));
    const tags = tagsOf(record);
    const policy = ((index > 0 ? tags.get('sp') : undefined) ?? tags.get('p') ?? '').toLowerCase();
    if (tags.get('pct') === '0')
      return hint('weak', 'The DMARC record applies to no mail: take pct=0 out of it.', record);
    if (policy === 'reject' || policy === 'quarantine')
      return hint('ok', `A DMARC record asks receivers to ${policy} what is not from you.`, record);
    return hint('weak', 'The DMARC record only observes: set p=quarantine or p=reject when reports are clean.', record);
  }
  return hint('missing', 'No DMARC record: publish one at _dmarc under the domain, p=none to begin with.');
}

/** The names at which a DMARC record may stand: that of the domain, and of those above it that have two labels or more. */
export function dmarcNamesOf(domain: string): string[] {
  const labels = domain.split('.');
  return labels
    .map((_, index) => labels.slice(index))
    .filter((rest, index) => index === 0 || (rest.length >= 2 && index <= 4))
    .map((rest) => `_dmarc.${rest.join('.')}`);
}

/** `k=rsa; p=MIIB…` by tag, in lower case. */
function tagsOf(record: string): Map<string, string> {
  return new Map(
    record.split(';').map((part) => {
      const [tag = '', ...value] = part.split('=');
      return [tag.trim().toLowerCase(), value.join('=').trim()];
    }),
  );
}

function publicPartOf(privateKey: string): string {
  return createPublicKey(createPrivateKey(privateKey)).export({ type: 'spki', format: 'der' }).toString('base64');
}

function isWithin(domain: string, other: string): boolean {
  return domain === other || domain.endsWith(`.${other}`);
}
