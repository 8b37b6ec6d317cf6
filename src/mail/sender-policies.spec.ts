import { generateKeyPairSync } from 'node:crypto';
import { dkimHint, dmarcHint, dmarcNamesOf, spfHint } from './sender-policies.js';

describe('spfHint', () => {
  it.each([
    ['nothing', [], 'missing'],
    ['another record', ['google-site-verification=1', 'v=spf10 -all'], 'missing'],
    ['all others refused', ['x', 'v=spf1 mx include:mail.test -all'], 'ok'],
    ['all others doubted', ['V=SPF1 mx ~ALL'], 'ok'],
    ['another domain named', ['v=spf1 redirect=_spf.mail.test'], 'ok'],
    ['everybody allowed', ['v=spf1 +all'], 'weak'],
    ['everybody allowed without a sign', ['v=spf1 mx all'], 'weak'],
    ['no word on others', ['v=spf1 ?all'], 'weak'],
    ['everybody allowed before the end', ['v=spf1 +all -all'], 'weak'],
    ['nobody allowed', ['v=spf1 -all'], 'weak'],
    ['no end', ['v=spf1 mx'], 'weak'],
    ['two records', ['v=spf1 -all', 'v=spf1 mx -all'], 'weak'],
    ['no answer', null, 'unknown'],
  ])('%s: %j is %s', (_, records, result) => {
    expect(spfHint(records).result).toBe(result);
  });
});

describe('dkimHint', () => {
  const pair = (): { privateKey: string; published: string } => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    return {
      privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      published: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    };
  };
  const { privateKey, published } = pair();
  const signing = { domain: 'practice.test', selector: 'mail', privateKey };

  it.each([
    ['its key', 'ok', [`v=DKIM1; k=rsa; p=${published}`], 'practice.test'],
    ['its key with spaces', 'ok', [`k=rsa;p=${published.slice(0, 40)} ${published.slice(40)}`], 'desk.practice.test'],
    ['its key for a sender elsewhere', 'weak', [`p=${published}`], 'notpractice.test'],
    ['another key', 'weak', [`v=DKIM1; p=${pair().published}`], 'practice.test'],
    ['what is no key', 'weak', ['v=DKIM1; p=AAAA'], 'practice.test'],
    ['a revoked key', 'missing', ['v=DKIM1; p='], 'practice.test'],
    ['no key', 'missing', ['v=spf1 -all'], 'practice.test'],
    ['nothing', 'missing', [], 'practice.test'],
    ['no answer', 'unknown', null, 'practice.test'],
  ])('%s is %s', (_, result, records, sender) => {
    expect(dkimHint(records, signing, sender).result).toBe(result);
  });

  it('cannot tell where Forecourt does not sign', () => {
    expect(dkimHint(null, undefined, 'practice.test')).toMatchObject({
      result: 'unknown',
      sentence: expect.stringContaining('does not sign'),
    });
  });
});

describe('dmarcHint', () => {
  it.each([
    ['nothing', [[], []], 'missing'],
    ['reject', [['v=DMARC1; p=reject']], 'ok'],
    ['quarantine', [['v=DMARC1;p=Quarantine; rua=mailto:a@b.test'], []], 'ok'],
    ['none', [['v=DMARC1; p=none']], 'weak'],
    ['no share of it', [['v=DMARC1; p=reject; pct=0']], 'weak'],
    ['no policy', [['v=DMARC1']], 'weak'],
    ['two records', [['v=DMARC1; p=reject', 'v=DMARC1; p=none']], 'weak'],
    ['that of the domain above', [[], ['v=DMARC1; p=reject']], 'ok'],
    ['that of the domain above for those below', [[], ['v=DMARC1; p=reject; sp=none']], 'weak'],
    ['its own before that above', [['v=DMARC1; p=none'], ['v=DMARC1; p=reject']], 'weak'],
    ['no answer', [null, ['v=DMARC1; p=reject']], 'unknown'],
  ])('%s: %j is %s', (_, records, result) => {
    expect(dmarcHint(records).result).toBe(result);
  });

  it.each([
    ['a.test', ['_dmarc.a.test']],
    ['c.b.a.test', ['_dmarc.c.b.a.test', '_dmarc.b.a.test', '_dmarc.a.test']],
    ['localhost', ['_dmarc.localhost']],
  ])('looks for %s at %j', (domain, names) => {
    expect(dmarcNamesOf(domain)).toEqual(names);
  });
});
