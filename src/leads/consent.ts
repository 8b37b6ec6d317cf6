import type { Config } from '../config/config.js';
import { ConsentOutdated, ConsentRequired } from './leads.errors.js';

/** What a form says about consent. */
export interface ClaimedConsent {
  readonly isGiven: boolean;
  /** Of the text that was shown; the present one when the form does not say. */
  readonly textVersion: string | undefined;
}

/**
 * The version of the text that is agreed to; undefined when nothing is, or when there is no text to agree to. Throws
 * `ConsentRequired`, and `ConsentOutdated` when what was shown is not the present text: nobody agreed to that.
 */
export function agreedVersion(
  { isGiven, textVersion }: ClaimedConsent,
  { isRequired, textVersion: present, textUrl }: Config['leads']['consent'],
): string | undefined {
  if (present === undefined) return undefined;
  if (!isGiven) {
    if (isRequired) throw new ConsentRequired();
    return undefined;
  }
  if (textVersion !== undefined && textVersion !== present) throw ConsentOutdated.since(present, textUrl);
  return present;
}
