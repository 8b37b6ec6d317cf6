import { isCommonPassword } from './common-passwords.js';

/** bcrypt ignores what comes after this many bytes. */
export const MOST_PASSWORD_BYTES = 72;

/** What a password must not be made of. */
export interface PasswordOwner {
  readonly username?: string | undefined;
  readonly email?: string | undefined;
}

export interface PasswordRules {
  readonly minLength: number;
  readonly requireComplexity: boolean;
  readonly companyName: string;
}

/**
 * The text that is counted and hashed: in Unicode normal form C, because two keyboards write the same ü in two ways. Nothing
 * else is changed, as RFC 8265, 4.2 (OpaqueString) has it; form KC would take ² for 2.
 */
export function normalPassword(password: string): string {
  return password.normalize('NFC');
}

/** One sentence for each thing to change; none when the password may be taken. Never repeats the password. */
export function faultsOf(password: string, owner: PasswordOwner, rules: PasswordRules): string[] {
  const normal = normalPassword(password);
  const length = lengthFault(normal, rules.minLength);
  if (length !== undefined) return [length];
  const faults = rules.requireComplexity ? complexityFaults(normal) : [];
  if (isCommonPassword(normal))
    faults.push('Is among the most common passwords: choose a few words that nobody expects together');
  if (isMadeOf(normal, wordsOf(owner, rules.companyName)))
    faults.push(
      'Is made of your name, your address or the name of the practice: choose words that have nothing to do with you',
    );
  return faults;
}

function lengthFault(password: string, minLength: number): string | undefined {
  const [length, bytes] = [Array.from(password).length, Buffer.byteLength(password)];
  if (length < minLength) return `Must have at least ${minLength} characters: a few words with spaces will do`;
  if (bytes > MOST_PASSWORD_BYTES)
    return `Must have at most ${MOST_PASSWORD_BYTES} bytes and has ${bytes}: leave out a word or two`;
  return undefined;
}

const KINDS: readonly [RegExp, string][] = [
  [/\p{Lu}/u, 'an upper-case letter'],
  [/\p{Ll}/u, 'a lower-case letter'],
  [/\p{Nd}/u, 'a digit'],
  [/[^\p{L}\p{N}]/u, 'a special character'],
];

/** Every kind of character that a complex password lacks. */
export function complexityFaults(password: string): string[] {
  return KINDS.filter(([pattern]) => !pattern.test(password)).map(([, name]) => `Must contain ${name}`);
}

/** Fewer letters than this beside one's own words are decoration. */
const LEAST_LETTERS_OF_ONES_OWN = 4;
const SHORTEST_WORD = 4;
const SHORTEST_NAME = 3;

/** Digits and signs that are written for letters. */
const DISGUISES: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

/** Letters and digits in lower case, without accents. */
const plain = (text: string): string =>
  text
    .normalize('NFD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
const undisguised = (text: string): string => text.replace(/[013457@$!]/g, (sign) => DISGUISES[sign] ?? sign);

/** Longest first, so that a whole name is found before its parts. */
function wordsOf({ username = '', email = '' }: PasswordOwner, companyName: string): string[] {
  const [localPart = ''] = email.split('@');
  const names = [username, localPart, companyName].map(plain).filter((name) => name.length >= SHORTEST_NAME);
  const parts = [username, localPart, companyName]
    .flatMap((name) => name.split(/[^\p{L}\p{N}]+/u))
    .map(plain)
    .filter((part) => part.length >= SHORTEST_WORD);
  return [...new Set([...names, ...parts])].sort((one, other) => other.length - one.length);
}

/** Whether hardly a letter is left when the words are taken out, as written or with digits for letters. */
function isMadeOf(password: string, words: readonly string[]): boolean {
  return [plain(password), plain(undisguised(password))].some((text) => {
    const rest = words.reduce((left, word) => left.replaceAll(word, ' '), text);
    return rest !== text && rest.replace(/[^\p{L}]/gu, '').length < LEAST_LETTERS_OF_ONES_OWN;
  });
}
