import { hashOfSecret } from '../../common/random-secret.js';
import { makeApiKey, publicIdIn } from './api-key-form.js';

describe('an API key', () => {
  it('is fck_, 8 characters, _, and 49 that hold the secret and its checksum', () => {
    const { text, publicId, hash } = makeApiKey();

    expect(text).toMatch(/^fck_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}$/);
    expect(publicIdIn(text)).toBe(publicId);
    expect(text.slice(4, 12)).toBe(publicId);
    expect(hash).toEqual(hashOfSecret(text));
    expect(hash).toHaveLength(32);
  });

  it('keeps its public id when it gets another secret', () => {
    const before = makeApiKey();
    const after = makeApiKey(before.publicId);

    expect(after.publicId).toBe(before.publicId);
    expect(after.text).not.toBe(before.text);
  });

  it('is another one each time, in id and secret', () => {
    const made = Array.from({ length: 500 }, () => makeApiKey());

    expect(new Set(made.map(({ publicId }) => publicId)).size).toBe(500);
    expect(new Set(made.map(({ text }) => text.slice(13, -6))).size).toBe(500);
  });

  it('is not taken for one with any single character changed', () => {
    const { text } = makeApiKey();
    const changed = Array.from(
      text,
      (sign, at) => `${text.slice(0, at)}${sign === 'x' ? 'y' : 'x'}${text.slice(at + 1)}`,
    );

    expect(changed.filter((each) => publicIdIn(each) !== undefined)).toEqual([]);
  });

  it.each([
    ['nothing', () => ''],
    ['one that is cut', () => makeApiKey().text.slice(0, -1)],
    ['one that is longer', () => `${makeApiKey().text}0`],
    ['one in quotes', () => `"${makeApiKey().text}"`],
    ['one after a space', () => ` ${makeApiKey().text}`],
    ['two with a comma', () => `${makeApiKey().text}, ${makeApiKey().text}`],
    ['a token', () => 'eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl'],
    ['10,000 characters', () => `fck_${'a'.repeat(10_000)}`],
  ])('is not seen in %s', (_, make) => {
    expect(publicIdIn(make())).toBeUndefined();
  });
});
