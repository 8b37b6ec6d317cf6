import { complaintsAbout } from '../../bench/soak-judge.mjs';

const STILL = { heapMb: 90, residentMb: 200, p50: 8, p99: 60, connections: 20, inTransaction: 0, descriptors: 50 };
type Measured = typeof STILL;

/** Ten samples, each with what the change makes of its number. */
const samples = (change: (at: number) => Partial<Measured>): Measured[] =>
  Array.from({ length: 10 }, (_, at) => ({ ...STILL, ...change(at) }));

describe('a soak', () => {
  it.each<[string, (at: number) => Partial<Measured>]>([
    ['is as it was', () => ({})],
    ['is slow and large in its first sample', (at) => (at === 0 ? { p99: 900, heapMb: 20, connections: 4 } : {})],
    ['goes up and down', (at) => ({ heapMb: 90 + (at % 3) * 8, p99: 60 + (at % 2) * 200, connections: 20 + (at % 4) })],
    ['has one bad sample at its end', (at) => (at === 9 ? { p50: 300, p99: 4000, heapMb: 300 } : {})],
    ['shrinks', (at) => ({ heapMb: 200 - 10 * at, descriptors: 90 - at })],
    ['grows by less than it may', (at) => ({ heapMb: 90 + at * 0.5, descriptors: 50 + at / 3 })],
  ])('in which the program %s says nothing', (_, change) => {
    expect(complaintsAbout(samples(change))).toEqual([]);
  });

  it.each<[string, (at: number) => Partial<Measured>, string]>([
    [
      'leaks memory',
      (at) => ({ heapMb: 90 + at * 4 }),
      'the heap grew from 98.0 to 122.0 MB: at most 10.0 more is allowed',
    ],
    ['holds more and more', (at) => ({ residentMb: 200 + at * 20 }), 'resident memory grew from'],
    ['becomes slow', (at) => ({ p50: 8 + at * 2 }), 'the median latency grew from'],
    ['becomes slow for some', (at) => ({ p99: 60 + at * 40 }), 'the p99 latency grew from'],
    ['loses a connection each minute', (at) => ({ connections: 20 + at }), 'connections to the database grew from'],
    ['loses descriptors', (at) => ({ descriptors: 50 + at * 3 }), 'open descriptors grew from'],
    [
      'leaves a transaction open',
      (at) => ({ inTransaction: at === 9 ? 1 : 0 }),
      '1 connections were left in a transaction',
    ],
    ['cannot be measured', () => ({ heapMb: NaN }), 'something could not be measured'],
  ])('in which the program %s says so in words', (_, change, words) => {
    expect(complaintsAbout(samples(change))).toEqual([expect.stringContaining(words)]);
  });

  it('of too few samples says that it shows nothing', () => {
    expect(complaintsAbout(samples(() => ({})).slice(0, 3))).toEqual([
      'there are too few samples to see whether anything grows',
    ]);
  });
});
