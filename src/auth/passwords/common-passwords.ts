import { readFileSync } from 'node:fs';

/** Passwords that everybody tries first (NIST SP 800-63B-4, 3.1.1.2; ASVS 5.0, 6.2.4), in lower case. */
const COMMON: ReadonlySet<string> = new Set(
  readFileSync(new URL('./common-passwords.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('# ')),
);

/** Whether a password is among the 3,000 most common ones, in whatever case. */
export function isCommonPassword(password: string): boolean {
  return COMMON.has(password.toLowerCase());
}
