import { agreedVersion } from './consent.js';
import { ConsentOutdated, ConsentRequired } from './leads.errors.js';

const PRESENT = { isRequired: false, textVersion: '2026-11', textUrl: undefined };
const REQUIRED = { ...PRESENT, isRequired: true };
const NO_TEXT = { ...PRESENT, textVersion: undefined };

describe('what is agreed to', () => {
  it.each([
    ['the present text, when the form does not say which', true, undefined, PRESENT, '2026-11'],
    ['the present text, when the form showed it', true, '2026-11', REQUIRED, '2026-11'],
    ['nothing, where consent is not needed and not given', false, undefined, PRESENT, undefined],
    ['nothing, where a text was shown and not agreed to', false, '2025-01', PRESENT, undefined],
    ['nothing, where there is no text', true, '2025-01', NO_TEXT, undefined],
  ])('is %s', (_, isGiven, textVersion, settings, expected) => {
    expect(agreedVersion({ isGiven, textVersion }, settings)).toBe(expected);
  });

  it.each(['2025-01', '2026-1', '2026-110', '2026-11b'])(
    'is never the text %s, which is not the present one',
    (textVersion) => {
      expect(() => agreedVersion({ isGiven: true, textVersion }, PRESENT)).toThrow(ConsentOutdated);
    },
  );

  it('may not be missing where it is needed', () => {
    expect(() => agreedVersion({ isGiven: false, textVersion: '2026-11' }, REQUIRED)).toThrow(ConsentRequired);
  });
});
