import { lookUpLocale } from './locale-lookup.js';

describe('lookUpLocale', () => {
  it.each([
    ['de', ['en', 'de'], 'de'],
    ['de-AT', ['en', 'de'], 'de'],
    ['de-AT', ['en', 'de', 'de-AT'], 'de-AT'],
    ['zh-Hant-TW', ['zh', 'zh-Hant'], 'zh-Hant'],
    ['zh-Hans-CN', ['zh', 'zh-Hant'], 'zh'],
    ['de-x-office', ['de'], 'de'],
    ['en-a-bbb-x-a-ccc', ['en-a-bbb'], 'en-a-bbb'],
    ['fr', ['en', 'de'], undefined],
    // a variety nobody asked for is not offered: who reads de may not read de-CH, nor den
    ['de', ['de-CH', 'den'], undefined],
    ['de', [], undefined],
    ['', ['en'], undefined],
  ])('finds for %s among %j: %s', (wanted, available, found) => {
    expect(lookUpLocale(wanted, available)).toBe(found);
  });
});
