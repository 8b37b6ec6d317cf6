/** What may follow a first factor. */
export const SECOND_FACTORS = ['totp', 'passkey', 'recovery_code'] as const;
export type SecondFactor = (typeof SECOND_FACTORS)[number];

/**
 * Whether a sign-in that was proved in these ways counts as one with two factors. A passkey by itself does: it signs in
 * without a password only after its device knew its user (NIST SP 800-63B, 3.1.7).
 */
export function hasSecondFactor(methods: readonly string[]): boolean {
  return SECOND_FACTORS.some((each) => methods.includes(each));
}

const REFERENCES: Readonly<Record<string, string>> = {
  password: 'pwd',
  totp: 'otp',
  recovery_code: 'otp',
  passkey: 'pop',
};

/** How a sign-in was proved, in the words of RFC 8176; what it has no word for is left out. */
export function amrOf(methods: readonly string[]): string[] {
  const references = methods.flatMap((method) => REFERENCES[method] ?? []);
  return [...new Set([...references, ...(hasSecondFactor(methods) ? ['mfa'] : [])])];
}
