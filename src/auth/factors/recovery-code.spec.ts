import { hashOfRecoveryCode, newRecoveryCode } from './recovery-code.js';

describe('newRecoveryCode', () => {
  it('is of 24 characters that nobody mistakes, each time others', () => {
    const codes = Array.from({ length: 200 }, () => newRecoveryCode());

    expect(new Set(codes).size).toBe(200);
    expect(codes.every((code) => /^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){5}$/.test(code))).toBe(true);
    expect(new Set(codes.join('').replaceAll('-', '')).size).toBe(32);
  });
});

describe('hashOfRecoveryCode', () => {
  const CODE = '0123-4567-89ab-cdef-ghjk-1100';

  it.each([
    CODE,
    '0123456789abcdefghjk1100',
    ' 0123 4567 89AB CDEF GHJK 1100 ',
    'o123-4567-89ab-cdef-ghjk-11oO',
    '0l23-4567-89ab-cdef-ghjk-iI00',
  ])('is the same for %j', (typed) => {
    expect(hashOfRecoveryCode(typed)).toEqual(hashOfRecoveryCode(CODE));
  });

  it('is another one for another code', () => {
    expect(hashOfRecoveryCode('0123-4567-89ab-cdef-ghjk-1101')).not.toEqual(hashOfRecoveryCode(CODE));
  });
});
