import { type Reading, readField } from '../../test/support/fields.js';
import { ChoiceField, FlagField, LanguageField, LineField, TimeField, UuidField, WholeNumberField } from './fields.js';

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

const readName = (name: unknown, Class: new () => object = Form): Reading => readField(Class, 'name', { name });

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
    expect(readField(OptionalForm, 'name', {})).toEqual({ value: undefined });
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

describe('ChoiceField', () => {
  const choose = (choice: unknown): Reading => readField(ChoiceForm, 'choice', { choice });

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
    expect(readField(OptionalChoiceForm, 'choice', {})).toEqual({ value: 'two' });
    expect(readField(OptionalChoiceForm, 'choice', { choice: 'x' })).toEqual({ says: 'Must be one of: one, two' });
    expect(readField(OptionalChoiceForm, 'choice', { choice: null })).toEqual({ says: 'Must be one of: one, two' });
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
    expect(readField(NumberForm, 'number', { number: text })).toEqual({ value: expected });
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
    expect(readField(NumberForm, 'number', { number: text })).toEqual({ says: 'Must be a whole number from -2 to 20' });
  });
});

describe('FlagField', () => {
  it.each([true, false])('takes %j', (flag) => {
    expect(readField(FlagForm, 'flag', { flag })).toEqual({ value: flag });
  });

  it.each([['true'], [1], [0], [null], [undefined], [[]], [{}]])('refuses %j', (flag) => {
    expect(readField(FlagForm, 'flag', { flag })).toEqual({ says: 'Must be true or false' });
  });
});

describe('LanguageField', () => {
  it.each([
    ['de', 'de'],
    ['DE-at', 'de-AT'],
    [' zh-hant-tw ', 'zh-Hant-TW'],
    ['de-x-office', 'de-x-office'],
  ])('reads %j as %s', (locale, tag) => {
    expect(readField(LanguageForm, 'locale', { locale })).toEqual({ value: tag });
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
      expect(readField(Class, 'locale', { locale })).toEqual({ says: 'Must be a language tag such as en or de-AT' });
  });

  it.each([[undefined], [''], ['  ']])('takes %j for none', (locale) => {
    expect(readField(OptionalLanguageForm, 'locale', { locale })).toEqual({ value: undefined });
    expect(readField(LanguageForm, 'locale', { locale })).toEqual({ says: 'This field is required' });
  });
});

describe('UuidField', () => {
  it('reads an id in lower case', () => {
    expect(readField(UuidForm, 'id', { id: '3F0D9F5E-6C1B-4B52-9A54-0F7A3C1D2E4B' })).toEqual({
      value: '3f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b',
    });
  });

  it.each([[undefined], [''], ['abc'], ['3f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b0'], ["' OR 1=1--"], [7], [['a']]])(
    'refuses %j',
    (id) => {
      expect(readField(UuidForm, 'id', { id })).toEqual({ says: 'Must be a UUID' });
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
    expect(readField(TimeForm, 'at', { at })).toEqual({ value: new Date(time) });
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
    expect(readField(TimeForm, 'at', { at })).toEqual({
      says: 'Must be a time with its zone, such as 2026-01-31T10:30:00Z',
    });
  });
});
