import { isReturnPath } from './return-path.js';

const ALLOWED = ['/leads', '/account'];

describe('a path to return to', () => {
  it.each(['/leads', '/leads/4f3c', '/account/security', '/leads/a_b-c~d'])('can be %s', (path) => {
    expect(isReturnPath(path, ALLOWED)).toBe(true);
  });

  it.each([
    '/',
    '',
    'leads',
    '/settings',
    '/leadsx',
    '//evil.test',
    '//evil.test/leads',
    '\\\\evil.test',
    '/\\evil.test',
    '/leads/\\evil.test',
    'https:evil.test',
    'https://evil.test/leads',
    'javascript:alert(1)',
    '/leads/../../evil',
    '/leads//evil.test',
    '/%2f%2fevil.test',
    '/leads/%2e%2e/x',
    '/leads?next=//evil.test',
    '/leads#x',
    '/leads/@evil.test',
    '/leads\n//evil.test',
    '\t/leads',
    '/leads/',
    `/leads/${'a'.repeat(300)}`,
  ])('cannot be %j', (path) => {
    expect(isReturnPath(path, ALLOWED)).toBe(false);
    expect(isReturnPath(path, [...ALLOWED, '/'])).toBe(path === '/');
  });
});
