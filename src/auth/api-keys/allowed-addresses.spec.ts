import { faultOfAddress, isAllowed } from './allowed-addresses.js';

describe('faultOfAddress', () => {
  it.each([
    '192.0.2.7',
    '192.0.2.0/24',
    '0.0.0.0/0',
    '192.0.2.7/32',
    '2001:db8::1',
    '2001:db8::/48',
    '::1/128',
    '::/0',
  ])('takes %s', (text) => {
    expect(faultOfAddress(text)).toBeUndefined();
  });

  it.each([
    '',
    'localhost',
    '192.0.2',
    '192.0.2.256',
    '192.0.2.0/33',
    '192.0.2.0/',
    '192.0.2.0/-1',
    '192.0.2.0/24/24',
    '192.0.2.0/1e1',
    '2001:db8::/129',
    'fe80::1%eth0',
    '::ffff:192.0.2.7',
    '192.0.2.0 /24',
  ])('does not take %s', (text) => {
    expect(faultOfAddress(text)).toEqual(expect.any(String));
  });
});

describe('isAllowed', () => {
  it.each([
    [[], '192.0.2.7', true],
    [['192.0.2.7'], '192.0.2.7', true],
    [['192.0.2.7'], '192.0.2.8', false],
    [['192.0.2.7'], '::ffff:192.0.2.7', true],
    [['192.0.2.0/24'], '192.0.2.255', true],
    [['192.0.2.0/24'], '192.0.3.0', false],
    [['192.0.2.9/24'], '192.0.2.1', true],
    [['2001:db8::/48'], '2001:db8:0:ffff::1', true],
    [['2001:db8::/48'], '2001:db8:1::1', false],
    [['2001:db8::1'], '2001:0db8:0::0001', true],
    [['::/0'], '192.0.2.7', false],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['fe80::/10'], 'fe80::1%eth0', true],
    [['10.0.0.0/8', '192.0.2.7'], '192.0.2.7', true],
    [['192.0.2.7'], '', false],
    [['192.0.2.7'], '192.0.2.7, 10.0.0.1', false],
  ])('%j and %s: %s', (allowed, ip, answer) => {
    expect(isAllowed(allowed, ip)).toBe(answer);
  });
});
