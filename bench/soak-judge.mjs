// Whether something grows that should not, told in words.

/**
 * @typedef {object} Sample what was found after each minute of load, when all was quiet again
 * @property {number} heapMb used after a full collection
 * @property {number} residentMb
 * @property {number} p50 of the minute, in milliseconds
 * @property {number} p99
 * @property {number} connections to the database
 * @property {number} inTransaction of these, with a transaction that nobody goes on with
 * @property {number} descriptors open files and sockets of the process
 */

/** What may be more at the end than at the beginning: by a share of it, and by so much in any case. */
const MOST = /** @type {const} */ ([
  { of: 'heapMb', what: 'the heap', unit: 'MB', share: 0.1, slack: 10 },
  { of: 'residentMb', what: 'resident memory', unit: 'MB', share: 0.2, slack: 30 },
  { of: 'p50', what: 'the median latency', unit: 'ms', share: 0.5, slack: 5 },
  { of: 'p99', what: 'the p99 latency', unit: 'ms', share: 1, slack: 50 },
  { of: 'connections', what: 'connections to the database', unit: '', share: 0, slack: 3 },
  { of: 'descriptors', what: 'open descriptors', unit: '', share: 0, slack: 8 },
]);

/** @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** The line that fits best, by least squares: how much more each sample has than the one before. @param {number[]} values */
function slopeOf(values) {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const over = values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0);
  return over / values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0);
}

/**
 * One sentence for each thing that grows: its last third is above its first by more than it may, and the line through all samples
 * says the same. The first sample is left out: whatever is made once is made then.
 * @param {readonly Sample[]} samples @returns {string[]}
 */
export function complaintsAbout(samples) {
  const settled = samples.slice(1);
  if (settled.length < 3) return ['there are too few samples to see whether anything grows'];
  const third = Math.max(1, Math.floor(settled.length / 3));
  const complaints = MOST.flatMap(({ of, what, unit, share, slack }) => {
    const values = settled.map((sample) => sample[of]);
    const [first, last] = [median(values.slice(0, third)), median(values.slice(-third))];
    const most = Math.max(first * share, slack);
    const byLine = slopeOf(values) * (values.length - 1);
    if (Number.isNaN(last - first) || last - first <= most || byLine <= most / 2) return [];
    return [
      `${what} grew from ${first.toFixed(1)} to ${last.toFixed(1)} ${unit}`.trimEnd() +
        `: at most ${most.toFixed(1)} more is allowed`,
    ];
  });
  const stuck = samples.at(-1)?.inTransaction ?? NaN;
  if (!(stuck === 0)) complaints.push(`${stuck} connections were left in a transaction`);
  if (settled.some((sample) => MOST.some(({ of }) => Number.isNaN(sample[of]))))
    complaints.push('something could not be measured');
  return complaints;
}
