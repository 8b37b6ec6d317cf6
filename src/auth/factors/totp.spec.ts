import { Secret } from 'otpauth';
import { newTotpSecret, stepOfCode, totpUri } from './totp.js';

/** The secret of RFC 6238, appendix B, and of RFC 4226, appendix D. */
const SECRET = Secret.fromUTF8('12345678901234567890').base32;

describe('stepOfCode', () => {
  // the last six digits of the eight that the RFC prints
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('at second %d knows %s of RFC 6238, appendix B', (second, code) => {
    expect(stepOfCode(SECRET, code, new Date(second * 1000))).toBe(Math.floor(second / 30));
  });

  // RFC 4226, appendix D: counters 0 to 4
  it.each([
    ['755224', undefined],
    ['287082', 1],
    ['359152', 2],
    ['969429', 3],
    ['338314', undefined],
  ])('takes of neighbouring steps only one before and one after: %s', (code, step) => {
    expect(stepOfCode(SECRET, code, new Date(75_000))).toBe(step);
  });

  it.each(['', '28708', '2870820', '28708a', '287 082', '０８７０８２', '-87082'])('refuses %j', (code) => {
    expect(stepOfCode(SECRET, code, new Date(59_000))).toBeUndefined();
  });
});

describe('newTotpSecret', () => {
  it('has 160 bits, each time others', () => {
    const secrets = Array.from({ length: 50 }, () => newTotpSecret());

    expect(new Set(secrets).size).toBe(50);
    expect(secrets.every((secret) => /^[A-Z2-7]{32}$/.test(secret))).toBe(true);
  });
});

describe('totpUri', () => {
  it('names issuer and account, neither of which can end the other', () => {
    expect(totpUri(SECRET, 'Byron & Partners: Law', 'ada')).toBe(
      `otpauth://totp/Byron%20%26%20Partners%20%20Law:ada?issuer=Byron%20%26%20Partners%20%20Law&secret=${SECRET}&algorithm=SHA1&digits=6&period=30`,
    );
  });
});
