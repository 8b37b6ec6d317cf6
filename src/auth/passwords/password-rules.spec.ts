import { complexityFaults, faultsOf, normalPassword } from './password-rules.js';

const UPPER = 'Must contain an upper-case letter';
const LOWER = 'Must contain a lower-case letter';
const DIGIT = 'Must contain a digit';
const SPECIAL = 'Must contain a special character';

const ADA = { username: 'Ada.Lovelace', email: 'countess@byron.test' };
const RULES = { minLength: 8, requireComplexity: false, companyName: 'Forecourt Law' };
const faults = (password: string, rules = {}): string[] => faultsOf(password, ADA, { ...RULES, ...rules });

describe('complexityFaults', () => {
  it.each(['Abcdef1!', 'aB3 efgh', 'Ünïcödé7-', 'Жж٣!', 'Ab1\u{1f600}', '1!aB', 'Ab1_', 'Ab1"\'\\'])(
    'takes %j',
    (password) => {
      expect(complexityFaults(password)).toEqual([]);
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
    expect(complexityFaults(password)).toEqual(lacking);
  });
});

describe('faultsOf', () => {
  it.each([
    'correct horse',
    'a fine password',
    'pelican7',
    'ada walks her pelican',
    'x'.repeat(72),
    'é'.repeat(36),
    '密码密码密码密码',
    // nine code points, seventeen UTF-16 units
    '\u{1f600}'.repeat(8) + 'x',
  ])('takes %j', (password) => {
    expect(faults(password)).toEqual([]);
  });

  it.each([
    ['seven characters', 'pelican', /^Must have at least 8 characters: /],
    ['seven emoji of two units each', '\u{1f600}'.repeat(7), /^Must have at least 8 characters: /],
    ['73 bytes', 'x'.repeat(73), /^Must have at most 72 bytes and has 73: /],
    ['37 characters of two bytes', 'é'.repeat(37), /^Must have at most 72 bytes and has 74: /],
    ['the most common of all', 'password', /^Is among the most common passwords: /],
    ['a common one in capitals', 'PassWord', /^Is among the most common passwords: /],
    ['a common one of digits', '12345678', /^Is among the most common passwords: /],
    ['the user name', 'Ada.Lovelace', /^Is made of your name/],
    ['a part of it with decoration', '!!lovelace2026!!', /^Is made of your name/],
    ['the user name in disguise', '4d4.l0vel4ce', /^Is made of your name/],
    ['the address', 'countess1815', /^Is made of your name/],
    ['the practice', 'Forecourt2026!', /^Is made of your name/],
    ['the practice and the name', 'forecourt-law-ada', /^Is made of your name/],
  ])('refuses %s with one sentence that says what to change', (_, password, sentence) => {
    expect(faults(password)).toEqual([expect.stringMatching(sentence)]);
  });

  it('counts and compares the normal form: a decomposed é is one character of two bytes', () => {
    expect(normalPassword('e\u0301')).toBe('é');
    expect(faults('e\u0301'.repeat(36))).toEqual([]);
    expect(faults('e\u0301'.repeat(7))).toHaveLength(1);
  });

  it('asks for as many characters as the setting says', () => {
    expect(faults('fourteen chars', { minLength: 15 })).toEqual([expect.stringMatching(/at least 15/)]);
    expect(faults('fifteen chars !', { minLength: 15 })).toEqual([]);
  });

  it('names everything at once when it asks for complexity', () => {
    expect(faults('password', { requireComplexity: true })).toEqual([
      UPPER,
      DIGIT,
      SPECIAL,
      expect.stringMatching(/most common/),
    ]);
  });

  it('never repeats the password', () => {
    for (const password of ['hush', 'lovelace!!', 'sunshine'])
      expect(faults(password).join()).not.toMatch(new RegExp(password, 'i'));
  });

  it('knows nobody without a name or address', () => {
    expect(faultsOf('Ada.Lovelace', {}, RULES)).toEqual([]);
  });
});
