/**
 * The best of the available languages for one that is wanted, by the lookup of RFC 4647 (3.4): de-AT, then de. Undefined when
 * there is none. All tags are in canonical spelling; none ends in a single letter, so what the RFC says of these needs no step.
 */
export function lookUpLocale(wanted: string, available: Iterable<string>): string | undefined {
  const locales = new Set(available);
  for (let subtags = wanted.split('-'); subtags.length > 0; subtags = subtags.slice(0, -1)) {
    const tag = subtags.join('-');
    if (locales.has(tag)) return tag;
  }
  return undefined;
}
