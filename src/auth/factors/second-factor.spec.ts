import { amrOf, hasSecondFactor } from './second-factor.js';

it.each([
  [[], [], false],
  [['password'], ['pwd'], false],
  [['magic_link'], [], false],
  [['password', 'totp'], ['pwd', 'otp', 'mfa'], true],
  [['password', 'recovery_code'], ['pwd', 'otp', 'mfa'], true],
  [['password', 'recovery_code', 'totp'], ['pwd', 'otp', 'mfa'], true],
  [['magic_link', 'passkey'], ['pop', 'mfa'], true],
  [['passkey'], ['pop', 'mfa'], true],
])('a sign-in by %j is %j, with two factors: %s', (methods, amr, isWithTwo) => {
  expect(amrOf(methods)).toEqual(amr);
  expect(hasSecondFactor(methods)).toBe(isWithTwo);
});
