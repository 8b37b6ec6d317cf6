import { userAgentOf } from './actor.js';

describe('userAgentOf', () => {
  it.each([
    [undefined, undefined],
    ['curl/8.9.1', 'curl/8.9.1'],
    ['x'.repeat(10_000), 'x'.repeat(200)],
    ['a\u0000b\nc\u202ed é', 'abcd é'],
  ])('keeps at most 200 characters of one line', (header, kept) => {
    expect(userAgentOf({ headers: { 'user-agent': header } })).toBe(kept);
  });
});
