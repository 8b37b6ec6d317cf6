import { type Reading, readField } from '../../test/support/fields.js';
import { EmailField, isEmail } from './fields.js';

class AddressForm {
  @EmailField()
  email!: string;
}

const readAddress = (email: unknown): Reading => readField(AddressForm, 'email', { email });

describe('EmailField', () => {
  it.each([
    'ada@example.com',
    'a@b.co',
    'ada.lovelace@example.com',
    'ada+law@example.com',
    'ada_lovelace@example.com',
    'ada-lovelace@example.com',
    '-ada-@example.com',
    '_@example.com',
    '1@example.com',
    '1234567890@example.com',
    "o'hara@example.com",
    'name/surname@example.com',
    'user%host@example.com',
    'host!user@example.com',
    "!#$%&'*+/=?^_`{|}~-@example.com",
    '!#$%@example.com',
    'a.b.c.d.e@example.com',
    'x@a.b.c.d.e.example.com',
    'ada@example-one.com',
    'ada@a--b.com',
    'ada@123.com',
    'ada@1a.2b.com',
    'ada@example.museum',
    'ada@example.co.uk',
    'ada@xn--mnchen-3ya.example',
    'ada@example.xn--p1ai',
  ])('takes %s', (address) => {
    expect(isEmail(address)).toBe(true);
    expect(readAddress(address)).toEqual({ value: address });
  });

  it.each([
    'not-an-email',
    '@',
    '@example.com',
    'ada@',
    'ada.example.com',
    'ada@@example.com',
    'ada@eve@example.com',
    'ada@example.com@',
    'ada@localhost',
    'ada@intranet',
    'ada@com.',
    'ada@example.com.',
    'ada@.example.com',
    'ada@example..com',
    'ada@.',
    '.ada@example.com',
    'ada.@example.com',
    'ada..lovelace@example.com',
    '.@example.com',
    '"ada"@example.com',
    '"ada lovelace"@example.com',
    '"ada@home"@example.com',
    'ada."l"@example.com',
    '"@example.com',
    'ada(law)@example.com',
    '(law)ada@example.com',
    'ada@(law)example.com',
    'ada@example.com(law)',
    'ada lovelace@example.com',
    'ada@exam ple.com',
    'ada @example.com',
    'ada@ example.com',
    'ada\t@example.com',
    'ada\n@example.com',
    'ada@example.com\nBcc: eve@example.com',
    'ada@example.com\r\n\r\nhello',
    'ada\0@example.com',
    'ada@example.com\0',
    'ada\u007f@example.com',
    'ada\u0085@example.com',
    'ada\u200b@example.com',
    'ada@example\u00ad.com',
    'ada\u202e@example.com',
    'ada@-example.com',
    'ada@example-.com',
    'ada@exam_ple.com',
    'ada@example.c',
    'ada@example.c-',
    'ada@example.-c',
    'ada@example.123',
    'ada@example.1com',
    'ada@127.0.0.1',
    'ada@[127.0.0.1]',
    'ada@[IPv6:::1]',
    'ada@example.com:25',
    'ada@example.com/path',
    'ada@example.com?bcc=eve@example.com',
    'ada@example.com,eve@example.com',
    'ada@example.com;eve@example.com',
    'ada,eve@example.com',
    'Ada <ada@example.com>',
    '<ada@example.com>',
    'mailto:ada@example.com',
    'ada\\eve@example.com',
    'ada[1]@example.com',
    'ädä@example.com',
    'ada@exämple.com',
    '用户@例子.广告',
    'ada@例子.com',
    'ada\uff20example.com',
    'ada@example\u3002com',
    'mi\u212ae@example.com',
    '\ud83d@example.com',
  ])('refuses %j', (address) => {
    expect(readAddress(address)).toEqual({ says: 'Must be a valid e-mail address' });
  });

  const LABEL = 'b'.repeat(63);

  it.each([
    ['local part of 64 characters', `${'l'.repeat(64)}@example.com`, `${'l'.repeat(65)}@example.com`],
    ['label of 63 characters', `ada@${LABEL}.com`, `ada@${LABEL}b.com`],
    ['last label of 63 characters', `ada@example.${LABEL}`, `ada@example.${LABEL}b`],
    [
      'whole of 254 characters',
      `${'l'.repeat(64)}@${LABEL}.${LABEL}.${'b'.repeat(57)}.com`,
      `${'l'.repeat(64)}@${LABEL}.${LABEL}.${'b'.repeat(58)}.com`,
    ],
  ])('takes a %s and nothing longer', (_, longest, tooLong) => {
    expect(tooLong).toHaveLength(longest.length + 1);
    expect(readAddress(longest)).toEqual({ value: longest });
    expect(readAddress(tooLong)).toEqual({ says: 'Must be a valid e-mail address' });
  });

  it.each([
    ['a local part', `${'a'.repeat(100_000)}@example.com`],
    ['dots', `${'a.'.repeat(50_000)}@example.com`],
    ['labels', `ada@${'a.'.repeat(50_000)}`],
    ['dashes', `ada@${'a-'.repeat(50_000)}`],
    ['nothing but @', '@'.repeat(100_000)],
  ])('refuses 100,000 characters of %s in an instant', (_, address) => {
    const started = performance.now();

    expect(isEmail(address)).toBe(false);
    expect(performance.now() - started).toBeLessThan(1500);
  });

  it('trims an address and writes it in small letters', () => {
    expect(readAddress('  Ada.Lovelace@EXAMPLE.Com\r\n')).toEqual({ value: 'ada.lovelace@example.com' });
  });

  it.each([undefined, null, '', '   '])('asks for a value when there is %j', (value) => {
    expect(readAddress(value)).toEqual({ says: 'This field is required' });
  });

  it.each([[5], [true], [['ada@example.com']], [{ email: 'ada@example.com' }]])(
    'refuses %j, which is no text',
    (value) => {
      expect(readAddress(value)).toEqual({ says: 'Must be a valid e-mail address' });
    },
  );
});
