import { InvalidFields } from '../common/errors.js';

const RULES: readonly [RegExp, string][] = [
  [/\p{Lu}/u, 'an upper-case letter'],
  [/\p{Ll}/u, 'a lower-case letter'],
  [/\p{Nd}/u, 'a digit'],
  [/[^\p{L}\p{N}]/u, 'a special character'],
];

/** Throws `InvalidFields` naming every kind of character that a complex password lacks. */
export function requireComplexity(password: string): void {
  const lacking = RULES.filter(([pattern]) => !pattern.test(password)).map(([, name]) => `Must contain ${name}`);
  if (lacking.length > 0) throw new InvalidFields({ fieldErrors: { password: lacking } });
}
