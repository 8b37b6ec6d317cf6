import { isEmail } from '../../common/fields.js';
import type { ProviderSettings } from '../../config/provider-settings.js';
import { Role } from '../../users/role.js';
import { isUsername } from '../accounts/account-fields.js';
import { IdentityDomainRefused, IdentityRoleMissing } from './openid.errors.js';

export type Claims = Readonly<Record<string, unknown>>;

/** Who has come back from a provider, as far as it can be believed. */
export interface Person {
  readonly issuer: string;
  readonly subject: string;
  /** In lower case; null when there is none that an account could have. */
  readonly email: string | null;
  /** Whether the provider vouches for the address. */
  readonly isEmailVerified: boolean;
  /** How they might be called here. */
  readonly username: string | null;
  readonly claims: Claims;
}

/** What identities are kept under: the address of the provider, whether it was written with a slash at its end or not. */
export function issuerOf({ issuer }: ProviderSettings): string {
  return issuer.replace(/\/+$/, '');
}

/** What verified claims of an OpenID provider say. */
export function toPerson(provider: ProviderSettings, subject: string, claims: Claims): Person {
  const { email, preferred_username: name } = claims;
  // Microsoft hands out addresses that anybody may have written into a directory; it says of the proved ones that
  // their domain's owner was verified
  const verified = provider.preset === 'microsoft' ? claims['xms_edov'] : claims['email_verified'];
  return {
    issuer: issuerOf(provider),
    subject,
    email: addressIn(email),
    isEmailVerified: addressIn(email) !== null && (verified === true || verified === 'true' || verified === 1),
    username: typeof name === 'string' ? name : null,
    claims,
  };
}

export function addressIn(value: unknown): string | null {
  const address = typeof value === 'string' ? value.trim().toLowerCase() : '';
  return isEmail(address) ? address : null;
}

/**
 * Throws `IdentityDomainRefused` unless the person belongs to a domain that is allowed: with Google to its organisation (an
 * address at a foreign domain can be that of a private account), otherwise by a verified address of exactly this domain.
 */
export function requireDomain({ preset, allowedDomains }: ProviderSettings, person: Person): void {
  if (allowedDomains.length === 0) return;
  const address = person.isEmailVerified ? person.email?.split('@')[1] : undefined;
  const domain = preset === 'google' ? person.claims['hd'] : address;
  if (typeof domain !== 'string' || !allowedDomains.includes(domain.toLowerCase())) throw new IdentityDomainRefused();
}

/** From the least to the most. */
const RANKS = Object.values(Role);

/** The highest role that the claim maps to; undefined when roles are none of the provider's business. Throws `IdentityRoleMissing`. */
export function roleOf({ roles }: ProviderSettings, { claims }: Person): Role | undefined {
  if (roles === undefined) return undefined;
  const said = claims[roles.claim];
  const values: unknown[] = Array.isArray(said) ? said : [said];
  const ranks = roles.rules
    .filter(({ value }) => values.includes(value))
    .map(({ role }) => RANKS.findIndex((each) => each.valueOf() === role));
  const highest = RANKS[Math.max(-1, ...ranks)];
  if (highest === undefined) throw new IdentityRoleMissing();
  return highest;
}

/** User names for an account of somebody, the nicest first. `random` gives a whole number below its argument. */
export function usernamesFor({ username, email }: Person, random: (below: number) => number): string[] {
  const wished = (username ?? email ?? '').split('@')[0] ?? '';
  const plain = wished
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9._-]+/g, '')
    .slice(0, 40);
  const base = isUsername(plain) ? plain : `user-${plain}`.slice(0, 40);
  return [base, ...Array.from({ length: 4 }, () => `${base}-${String(random(1_000_000)).padStart(6, '0')}`)].filter(
    isUsername,
  );
}
