import { canFollow, LeadStatus } from './lead-status.js';

describe('canFollow', () => {
  it.each([
    [LeadStatus.Pending, LeadStatus.ReachedOut, true],
    [LeadStatus.ReachedOut, LeadStatus.Pending, true],
    [LeadStatus.Pending, LeadStatus.Pending, false],
    [LeadStatus.ReachedOut, LeadStatus.ReachedOut, false],
  ])('from %s to %s: %s', (from, to, expected) => {
    expect(canFollow(from, to)).toBe(expected);
  });

  it('knows two states, written as in the API and in the database', () => {
    expect(Object.values(LeadStatus)).toEqual(['PENDING', 'REACHED_OUT']);
  });

  it('knows no other state, whatever a later model may add', () => {
    const later: readonly unknown[] = ['IN_REVIEW', 'QUALIFIED', 'REJECTED', 'NOT_INTERESTED', 'pending', ''];

    const allowed = later.filter((state) => Object.values(LeadStatus).some((from) => canFollow(from, state as never)));

    expect(allowed).toEqual([]);
  });
});
