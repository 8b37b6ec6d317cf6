import type { Config } from '../config/config.js';
import { ApplicationSecret } from './application-secret.js';
import { SealBroken, SealedValues } from './sealed-values.js';

const valuesUnder = (secretKey: string, previousSecretKey?: string): SealedValues =>
  new SealedValues(new ApplicationSecret({ auth: { secretKey, previousSecretKey } } as Config));

const [OLD, NEW] = ['an old secret'.repeat(4), 'a new secret'.repeat(4)];

describe('SealedValues', () => {
  it('opens what it sealed, which looks different each time', async () => {
    const values = valuesUnder(OLD);
    const sealed = [await values.seal('totp/1', 'JBSWY3DP'), await values.seal('totp/1', 'JBSWY3DP')];
    expect(sealed[0]).not.toBe(sealed[1]);
    for (const each of sealed) {
      expect(each).not.toContain('JBSWY3DP');
      expect(await values.open('totp/1', each)).toBe('JBSWY3DP');
    }
    expect(await values.open('note', await values.seal('note', ''))).toBe('');
  });

  it('opens nothing for another purpose, nothing that was changed, and nothing of a stranger', async () => {
    const values = valuesUnder(OLD);
    const sealed = await values.seal('totp/1', 'JBSWY3DP');
    await expect(values.open('totp/2', sealed)).rejects.toThrow(SealBroken);
    await expect(valuesUnder(NEW).open('totp/1', sealed)).rejects.toThrow(SealBroken);
    const [id = '', text = ''] = sealed.split('.');
    const bytes = Buffer.from(text, 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
      await expect(values.open('totp/1', `${id}.${changed.toString('base64url')}`)).rejects.toThrow(SealBroken);
    }
    for (const broken of ['', '.', id, `${id}.`, `${id}.AAAA`, `.${text}`, sealed.slice(0, -4)])
      await expect(values.open('totp/1', broken)).rejects.toThrow(SealBroken);
  });

  it('opens what the secret before sealed, and says that it should be sealed anew', async () => {
    const sealed = await valuesUnder(OLD).seal('totp/1', 'JBSWY3DP');
    const rotated = valuesUnder(NEW, OLD);
    expect(await rotated.open('totp/1', sealed)).toBe('JBSWY3DP');
    expect(await rotated.isOutdated(sealed)).toBe(true);
    expect(await rotated.isOutdated(await rotated.seal('totp/1', 'x'))).toBe(false);
  });
});
