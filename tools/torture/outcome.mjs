// What each fault's script says at its end, for people and for `npm run torture`, which makes one table of it.

/**
 * @typedef {object} Outcome
 * @property {string} fault
 * @property {number} rounds
 * @property {number} acknowledged what was promised
 * @property {number} lost of that
 * @property {number} doubled
 * @property {number | null} recovery_seconds the longest, from the end of the fault to being served again
 * @property {string} [skipped] why it was not tried at all
 */

/** One line, the last that a script prints. @param {Outcome} outcome */
export function report(outcome) {
  console.log(JSON.stringify(outcome));
}

/** The outcome, where a line is one. @param {string} line @returns {Outcome | undefined} */
export function outcomeIn(line) {
  if (!line.startsWith('{"fault":')) return undefined;
  return /** @type {Outcome} */ (JSON.parse(line));
}

/** @param {string} name @param {string} text */
export function wholeNumber(name, text) {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new Error(`--${name} must be a whole number from 1 to 99999`);
  return Number(text);
}

/** @param {number | null} milliseconds */
export const inSeconds = (milliseconds) => (milliseconds === null ? null : Math.round(milliseconds / 100) / 10);
