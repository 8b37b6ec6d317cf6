import { InvalidFields } from '../common/errors.js';
import { requireComplexity } from './password-rules.js';

const UPPER = 'Must contain an upper-case letter';
const LOWER = 'Must contain a lower-case letter';
const DIGIT = 'Must contain a digit';
const SPECIAL = 'Must contain a special character';

function lackingIn(password: string): unknown {
  try {
    requireComplexity(password);
    return 'nothing';
  } catch (error) {
    if (!(error instanceof InvalidFields)) throw error;
    expect([error.status, Object.keys(error.fieldErrors ?? {})]).toEqual([400, ['password']]);
    return error.fieldErrors?.['password'];
  }
}

describe('requireComplexity', () => {
  it.each(['Abcdef1!', 'aB3 efgh', 'Ünïcödé7-', 'Жж٣!', 'Ab1\u{1f600}', '1!aB', 'Ab1_', 'Ab1"\'\\'])(
    'takes %j',
    (password) => {
      expect(lackingIn(password)).toBe('nothing');
    },
  );

  it.each([
    ['abcdef1!', [UPPER]],
    ['ABCDEF1!', [LOWER]],
    ['Abcdefg!', [DIGIT]],
    ['Abcdefg1', [SPECIAL]],
    ['abcdefgh', [UPPER, DIGIT, SPECIAL]],
    ['12345678', [UPPER, LOWER, SPECIAL]],
    ['!!!!!!!!', [UPPER, LOWER, DIGIT]],
    ['密码密码密码密码', [UPPER, LOWER, DIGIT, SPECIAL]],
    ['Ab½', [DIGIT, SPECIAL]],
    ['', [UPPER, LOWER, DIGIT, SPECIAL]],
  ])('names everything that %j lacks', (password, lacking) => {
    expect(lackingIn(password)).toEqual(lacking);
  });

  it('never repeats the password', () => {
    expect(JSON.stringify(lackingIn('hush-hush'))).not.toContain('hush');
  });
});
