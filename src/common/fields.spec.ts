import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import {
  ChoiceField,
  EmailField,
  FlagField,
  isEmail,
  LanguageField,
  LineField,
  TimeField,
  UuidField,
  WholeNumberField,
} from './fields.js';

const NOT_ONE_LINE = 'Must not contain control characters';

class Form {
  @LineField({ min: 1, max: 100 })
  name!: string;
}
class OptionalForm {
  @LineField({ min: 2, max: 5, optional: true })
  name?: string;
}
class PatternForm {
  @LineField({ min: 3, max: 5, pattern: { regex: /^[a-z]+$/, says: 'May have small letters' } })
  name!: string;
}
class AddressForm {
  @EmailField()
  email!: string;
}
class ChoiceForm {
  @ChoiceField(['one', 'two'])
  choice!: string;
}
class OptionalChoiceForm {
  @ChoiceField(['one', 'two'], { optional: true })
  choice: string = 'two';
}
class NumberForm {
  @WholeNumberField({ min: -2, max: 20 })
  number!: number;
}
class UuidForm {
  @UuidField()
  id!: string;
}
class TimeForm {
  @TimeField()
  at!: Date;
}
class LanguageForm {
  @LanguageField()
  locale!: string;
}
class OptionalLanguageForm {
  @LanguageField({ optional: true })
  locale?: string;
}
class FlagForm {
  @FlagField()
  flag!: boolean;
}

type Reading = { readonly value: unknown } | { readonly says: unknown };

/** What becomes of a request class with one field: the value read, or the one sentence about it. */
function read(Class: new () => object, field: string, body: object): Reading {
  const instance = plainToInstance(Class, body);
  const [error, ...others] = validateSync(instance);
  if (error === undefined) return { value: (instance as Record<string, unknown>)[field] };
  expect([others.length, error.property, Object.keys(error.constraints ?? {}).length]).toEqual([0, field, 1]);
  return { says: Object.values(error.constraints ?? {})[0] };
}

const readName = (name: unknown, Class: new () => object = Form): Reading => read(Class, 'name', { name });
const readAddress = (email: unknown): Reading => read(AddressForm, 'email', { email });

describe('LineField', () => {
  it.each([
    ['a plain name', 'Ada', 'Ada'],
    ['blanks around', '  Ada \t', 'Ada'],
    ['line ends around', '\r\nAda\n', 'Ada'],
    ['blanks of other scripts around', '\u00a0\u3000Ada\ufeff', 'Ada'],
    ['blanks within', 'Mary  Ann', 'Mary  Ann'],
    ['an apostrophe', "O'Brien", "O'Brien"],
    ['markup, which is only text', '<b>Ada</b>', '<b>Ada</b>'],
    ['another script', '李小龙', '李小龙'],
    ['text from right to left', 'משה', 'משה'],
    ['the joiner that Persian names need', 'علی\u200cرضا', 'علی\u200cرضا'],
    ['one character', 'A', 'A'],
    ['100 letters', 'a'.repeat(100), 'a'.repeat(100)],
    ['100 characters of two code units each', '😀'.repeat(100), '😀'.repeat(100)],
    ['100 letters within blanks', ` ${'a'.repeat(100)} `, 'a'.repeat(100)],
    ['letter and accent apart, which become one', 'Jose\u0301', 'José'],
    ['100 letters with their accents apart', 'e\u0301'.repeat(100), 'é'.repeat(100)],
    ['a Hangul syllable in parts', '\u1112\u1161\u11ab', '한'],
  ])('takes %s', (_, text, expected) => {
    expect(readName(text)).toEqual({ value: expected });
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
  ])('asks for a value when there is %s', (_, value) => {
    expect(readName(value)).toEqual({ says: 'This field is required' });
  });

  it.each<[unknown]>([[5], [true], [['Ada']], [['Ada', 'Eve']], [{}], [{ toString: 'Ada' }], [new Date(0)]])(
    'refuses %j, which is no text',
    (value) => {
      expect(readName(value)).toEqual({ says: 'Must be a text' });
    },
  );

  it.each([
    ['an empty text', ''],
    ['only blanks', ' \t\u3000\r\n'],
    ['101 letters', 'a'.repeat(101)],
    ['101 characters of two code units each', '😀'.repeat(101)],
    ['101 letters with accents', 'e\u0301'.repeat(101)],
    ['a megabyte', 'a'.repeat(1_000_000)],
    ['a letter that becomes two in normal form', '\u0958'.repeat(51)],
  ])('refuses %s', (_, text) => {
    expect(readName(text)).toEqual({ says: 'Must have 1 to 100 characters' });
  });

  const FORBIDDEN: [string, string][] = [
    ...[...Array(32).keys(), ...Array.from({ length: 33 }, (_, index) => 127 + index)].map((code): [string, string] => [
      `U+${code.toString(16).padStart(4, '0')}`,
      String.fromCharCode(code),
    ]),
    ['a line separator', '\u2028'],
    ['a paragraph separator', '\u2029'],
    ...Array.from('\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069').map((mark): [string, string] => [
      `the mark of direction U+${mark.charCodeAt(0).toString(16)}`,
      mark,
    ]),
    ['the first half of a character', '\ud83d'],
    ['the second half of a character', '\ude00'],
  ];

  it.each(FORBIDDEN)('refuses a line with %s in it', (_, sign) => {
    expect(readName(`A${sign}a`)).toEqual({ says: NOT_ONE_LINE });
  });

  it('refuses what looks like a header', () => {
    expect(readName('A"\r\nBcc: eve@example.com')).toEqual({ says: NOT_ONE_LINE });
  });

  it('leaves an optional line alone when it is absent, and checks it when it is there', () => {
    expect(read(OptionalForm, 'name', {})).toEqual({ value: undefined });
    expect(readName('abcde', OptionalForm)).toEqual({ value: 'abcde' });
    expect(readName('a', OptionalForm)).toEqual({ says: 'Must have 2 to 5 characters' });
    expect(readName(null, OptionalForm)).toEqual({ says: 'This field is required' });
  });

  it('says one thing at a time: the length before the pattern', () => {
    expect(readName('AB', PatternForm)).toEqual({ says: 'Must have 3 to 5 characters' });
    expect(readName('AB1', PatternForm)).toEqual({ says: 'May have small letters' });
    expect(readName('abc', PatternForm)).toEqual({ value: 'abc' });
  });
});

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

describe('ChoiceField', () => {
  const choose = (choice: unknown): Reading => read(ChoiceForm, 'choice', { choice });

  it.each(['one', 'two'])('takes %s', (choice) => {
    expect(choose(choice)).toEqual({ value: choice });
  });

  it.each([['three'], ['ONE'], [' one'], [''], ['one,two'], [null], [1], [['one']], [{ one: 1 }], ['constructor']])(
    'refuses %j',
    (choice) => {
      expect(choose(choice)).toEqual({ says: 'Must be one of: one, two' });
    },
  );

  it('asks for a value when there is none', () => {
    expect(choose(undefined)).toEqual({ says: 'This field is required' });
  });

  it('keeps the default of an optional choice that is absent, and refuses an optional choice that is wrong', () => {
    expect(read(OptionalChoiceForm, 'choice', {})).toEqual({ value: 'two' });
    expect(read(OptionalChoiceForm, 'choice', { choice: 'x' })).toEqual({ says: 'Must be one of: one, two' });
    expect(read(OptionalChoiceForm, 'choice', { choice: null })).toEqual({ says: 'Must be one of: one, two' });
  });
});

describe('WholeNumberField', () => {
  it.each([
    ['-2', -2],
    ['0', 0],
    ['20', 20],
    ['007', 7],
    [5, 5],
  ])('reads %j', (text, expected) => {
    expect(read(NumberForm, 'number', { number: text })).toEqual({ value: expected });
  });

  it.each([
    ['-3'],
    ['21'],
    ['1.5'],
    [1.5],
    ['1e1'],
    ['0x1'],
    ['+1'],
    [' 1'],
    ['--1'],
    ['٣'],
    [''],
    [NaN],
    [Infinity],
    [null],
    [true],
    [['1']],
    [{}],
    [undefined],
  ])('refuses %j', (text) => {
    expect(read(NumberForm, 'number', { number: text })).toEqual({ says: 'Must be a whole number from -2 to 20' });
  });
});

describe('FlagField', () => {
  it.each([true, false])('takes %j', (flag) => {
    expect(read(FlagForm, 'flag', { flag })).toEqual({ value: flag });
  });

  it.each([['true'], [1], [0], [null], [undefined], [[]], [{}]])('refuses %j', (flag) => {
    expect(read(FlagForm, 'flag', { flag })).toEqual({ says: 'Must be true or false' });
  });
});

describe('LanguageField', () => {
  it.each([
    ['de', 'de'],
    ['DE-at', 'de-AT'],
    [' zh-hant-tw ', 'zh-Hant-TW'],
    ['de-x-office', 'de-x-office'],
  ])('reads %j as %s', (locale, tag) => {
    expect(read(LanguageForm, 'locale', { locale })).toEqual({ value: tag });
  });

  it.each([
    ['de_AT'],
    ['*'],
    ['Deutsch, bitte'],
    ['../en'],
    ['de\r\nX: y'],
    [`en-${'x-abcdefgh-'.repeat(4)}a`],
    [`de-x${'-abcdefgh'.repeat(4)}`],
    [7],
    [['de', 'en']],
  ])('refuses %j, whether it must be there or not', (locale) => {
    for (const Class of [LanguageForm, OptionalLanguageForm])
      expect(read(Class, 'locale', { locale })).toEqual({ says: 'Must be a language tag such as en or de-AT' });
  });

  it.each([[undefined], [''], ['  ']])('takes %j for none', (locale) => {
    expect(read(OptionalLanguageForm, 'locale', { locale })).toEqual({ value: undefined });
    expect(read(LanguageForm, 'locale', { locale })).toEqual({ says: 'This field is required' });
  });
});

describe('UuidField', () => {
  it('reads an id in lower case', () => {
    expect(read(UuidForm, 'id', { id: '3F0D9F5E-6C1B-4B52-9A54-0F7A3C1D2E4B' })).toEqual({
      value: '3f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b',
    });
  });

  it.each([[undefined], [''], ['abc'], ['3f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b0'], ["' OR 1=1--"], [7], [['a']]])(
    'refuses %j',
    (id) => {
      expect(read(UuidForm, 'id', { id })).toEqual({ says: 'Must be a UUID' });
    },
  );
});

describe('TimeField', () => {
  it.each([
    ['2026-01-31T10:30:00Z', '2026-01-31T10:30:00.000Z'],
    ['2026-01-31t10:30z', '2026-01-31T10:30:00.000Z'],
    ['2026-01-31T10:30:00.123456789+05:30', '2026-01-31T05:00:00.123Z'],
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
  ])('reads %s', (at, time) => {
    expect(read(TimeForm, 'at', { at })).toEqual({ value: new Date(time) });
  });

  it.each([
    [undefined],
    [''],
    ['yesterday'],
    ['2026-01-31'],
    ['2026-01-31T10:30:00'],
    ['2026-13-31T10:30:00Z'],
    ['2026-01-31T25:30:00Z'],
    ['0000-01-01T00:00:00Z'],
    ['+275760-09-13T00:00:00Z'],
    [7],
  ])('refuses %j', (at) => {
    expect(read(TimeForm, 'at', { at })).toEqual({
      says: 'Must be a time with its zone, such as 2026-01-31T10:30:00Z',
    });
  });
});
