import { createSecretKey } from 'node:crypto';
import { ProvedTokens } from './proved-tokens.js';
import type { SigningKeys } from './signing-keys.js';
import type { AccessClaims } from './token-form.js';

const EXPIRES = 2_000_000_000;
const CLAIMS: AccessClaims = { sub: 'a', username: 'ada', type: 'access', iat: EXPIRES - 60, exp: EXPIRES };

function someProofs(): {
  proved: ProvedTokens;
  keys: Map<string | undefined, object>;
  setTime: (seconds: number) => void;
} {
  const keys = new Map<string | undefined, object>([['one', { verifiesWith: createSecretKey(Buffer.alloc(32, 1)) }]]);
  let seconds = EXPIRES - 30;
  const clock = { now: () => new Date(seconds * 1000) };
  return {
    proved: new ProvedTokens({ find: (id: string | undefined) => keys.get(id) } as SigningKeys, clock),
    keys,
    setTime: (to) => {
      seconds = to;
    },
  };
}

describe('a proved token', () => {
  it('is known again, and no other is', () => {
    const { proved } = someProofs();
    proved.add('token', CLAIMS, 'one');
    expect(proved.find('token')).toBe(CLAIMS);
    expect(proved.find('tokem')).toBeUndefined();
  });

  it('is not known from the second on in which it expires', () => {
    const { proved, setTime } = someProofs();
    proved.add('token', CLAIMS, 'one');
    setTime(EXPIRES - 0.001);
    expect(proved.find('token')).toBe(CLAIMS);
    setTime(EXPIRES);
    expect(proved.find('token')).toBeUndefined();
  });

  it('is not known once its key is gone, or another under the same id', () => {
    for (const later of [undefined, { verifiesWith: createSecretKey(Buffer.alloc(32, 1)) }]) {
      const { proved, keys } = someProofs();
      proved.add('token', CLAIMS, 'one');
      if (later === undefined) keys.clear();
      else keys.set('one', later);
      expect(proved.find('token')).toBeUndefined();
    }
  });

  it('is not kept where its key is gone already', () => {
    const { proved, keys } = someProofs();
    proved.add('token', CLAIMS, 'other');
    keys.set('other', { verifiesWith: createSecretKey(Buffer.alloc(32, 2)) });
    expect(proved.find('token')).toBeUndefined();
  });

  it('is one of ten thousand at most', () => {
    const { proved } = someProofs();
    for (let number = 0; number <= 10_000; number += 1) proved.add(`token ${number}`, CLAIMS, 'one');
    expect(proved.find('token 0')).toBeUndefined();
    expect(proved.find('token 10000')).toBe(CLAIMS);
  });
});
