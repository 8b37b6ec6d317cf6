/** As long as a language tag may be here; RFC 5646 (4.4.1) asks for room for 35 characters. */
export const LONGEST_LANGUAGE_TAG = 35;

/** The tag in its canonical spelling (BCP 47), such as de-AT for DE-at; undefined when it is none, or too long. */
export function canonicalLanguageTag(text: string): string | undefined {
  try {
    const [tag] = Intl.getCanonicalLocales(text);
    return tag !== undefined && tag.length <= LONGEST_LANGUAGE_TAG ? tag : undefined;
  } catch {
    return undefined;
  }
}
