import type { ProviderSettings } from '../../config/provider-settings.js';
import { IdentityDomainRefused, IdentityRoleMissing } from './openid.errors.js';
import { type Claims, requireDomain, roleOf, toPerson, usernamesFor } from './person.js';

const OKTA: ProviderSettings = {
  id: 'okta',
  preset: 'openid',
  label: 'Okta',
  issuer: 'https://okta.test/',
  clientId: 'x',
  clientSecret: undefined,
  scopes: [],
  allowedDomains: ['practice.test'],
  provision: 'off',
  roles: {
    claim: 'groups',
    rules: [
      { value: 'partners', role: 'admin' },
      { value: 'staff', role: 'attorney' },
      { value: 'owners', role: 'superadmin' },
    ],
  },
};
const ada = (claims: Claims, preset: ProviderSettings['preset'] = 'openid'): ReturnType<typeof toPerson> =>
  toPerson({ ...OKTA, preset }, 'ada', claims);
const EMAIL = { email: 'Ada@Practice.test' };

describe('an address', () => {
  it.each<[string, ProviderSettings['preset'], Claims, boolean]>([
    ['is vouched for', 'openid', { email_verified: true }, true],
    ['is vouched for in words', 'openid', { email_verified: 'true' }, true],
    ['is not', 'openid', { email_verified: false }, false],
    ['is not, without a word', 'openid', {}, false],
    ['of Microsoft is not, whatever it says of it', 'microsoft', { email_verified: true }, false],
    ['of Microsoft is, when its domain was proved', 'microsoft', { xms_edov: true }, true],
  ])('%s', (_, preset, claims, isVerified) => {
    expect(ada({ ...EMAIL, ...claims }, preset)).toMatchObject({
      issuer: 'https://okta.test',
      email: 'ada@practice.test',
      isEmailVerified: isVerified,
    });
  });

  it('that no account could have is none', () => {
    expect(ada({ email: 'ada', email_verified: true })).toMatchObject({ email: null, isEmailVerified: false });
  });
});

describe('a domain', () => {
  const outcomeOf = (claims: Claims, preset: ProviderSettings['preset'] = 'openid'): string => {
    try {
      requireDomain({ ...OKTA, preset }, ada(claims, preset));
    } catch (error) {
      if (error instanceof IdentityDomainRefused) return 'refused';
      throw error;
    }
    return 'allowed';
  };

  it.each<[Claims, ProviderSettings['preset'], string]>([
    [{ ...EMAIL, email_verified: true }, 'openid', 'allowed'],
    [EMAIL, 'openid', 'refused'],
    [{ email: 'ada@sub.practice.test', email_verified: true }, 'openid', 'refused'],
    [{ email: 'ada@evil-practice.test', email_verified: true }, 'openid', 'refused'],
    [{ email: 'ada@practice.test.evil.test', email_verified: true }, 'openid', 'refused'],
    [{ ...EMAIL, email_verified: true, hd: 'practice.test' }, 'google', 'allowed'],
    [{ ...EMAIL, email_verified: true }, 'google', 'refused'],
    [{ ...EMAIL, email_verified: true, hd: ['practice.test'] }, 'google', 'refused'],
  ])('%j of %s is %s', (claims, preset, outcome) => {
    expect(outcomeOf(claims, preset)).toBe(outcome);
  });
});

describe('a role', () => {
  it.each([
    [['staff'], 'attorney'],
    [['staff', 'partners', 'others'], 'admin'],
    [['owners', 'staff'], 'superadmin'],
    ['staff', 'attorney'],
  ])('of %j is %s', (groups, role) => {
    expect(roleOf(OKTA, ada({ groups }))).toBe(role);
  });

  it.each([[[]], [['others']], [undefined], [null], [{ staff: true }], ['staff,owners'], [[['staff']]]])(
    'of %j is none, and whoever has none is refused',
    (groups) => {
      expect(() => roleOf(OKTA, ada({ groups }))).toThrow(IdentityRoleMissing);
    },
  );

  it('is none of the provider’s business unless the settings say so', () => {
    expect(roleOf({ ...OKTA, roles: undefined }, ada({ groups: ['owners'] }))).toBeUndefined();
  });
});

describe('user names', () => {
  const namesOf = (claims: Claims): string[] => usernamesFor(ada(claims), () => 7);

  it.each([
    [{ preferred_username: 'ada.l' }, 'ada.l'],
    [{ preferred_username: 'Zoë@practice.test' }, 'Zoe'],
    [{ email: 'grace@practice.test' }, 'grace'],
    [{ preferred_username: '阿' }, 'user-'],
    [{ preferred_username: 'x'.repeat(90) }, 'x'.repeat(40)],
  ])('of %j begin with %s', (claims, first) => {
    expect(namesOf(claims)[0]).toBe(first);
  });

  it('go on with some that others hardly have', () => {
    expect(namesOf({ preferred_username: 'ada' })).toEqual(['ada', ...Array<string>(4).fill('ada-000007')]);
  });
});
