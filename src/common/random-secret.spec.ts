import { createHash } from 'node:crypto';
import { hashOfSecret, newRandomSecret, secretOf } from './random-secret.js';

describe('newRandomSecret', () => {
  it('is 256 bits that never come again, and their hash', () => {
    const secrets = Array.from({ length: 100 }, newRandomSecret);

    expect(new Set(secrets.map(({ text }) => text)).size).toBe(100);
    for (const { text, hash } of secrets) {
      expect(Buffer.from(text, 'base64url')).toHaveLength(32);
      expect(hash).toEqual(createHash('sha256').update(text).digest());
      expect(hash).toEqual(hashOfSecret(text));
      expect(secretOf(Buffer.from(text, 'base64url'))).toEqual({ text, hash });
    }
  });
});
