import { LeadStatus } from './lead-status.js';
import { Lead } from './lead.entity.js';
import { InvalidStatusTransition } from './leads.errors.js';

const CREATED = new Date('2026-01-31T10:30:00.000Z');
const EARLIER = new Date('2026-02-01T09:00:00.000Z');
const NOW = new Date('2026-02-02T09:00:00.000Z');
const ATTORNEY = '3f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b';

function leadIn(status: LeadStatus): Lead {
  const reached = status === LeadStatus.ReachedOut;
  return Object.assign(new Lead(), {
    id: '0d7f7c52-3f6e-4a1c-9f7e-6a1f6f1f2c11',
    firstName: 'Ada',
    lastName: 'Lovelace',
    email: 'ada@example.com',
    resumePath: 'key.pdf',
    status,
    createdAt: CREATED,
    updatedAt: reached ? EARLIER : CREATED,
    reachedOutAt: reached ? EARLIER : null,
    reachedOutById: reached ? 'somebody' : null,
  });
}

function refusalOf(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('Lead.moveTo', () => {
  it('marks a pending lead as reached out, by whom and when', () => {
    const lead = leadIn(LeadStatus.Pending);

    lead.moveTo(LeadStatus.ReachedOut, ATTORNEY, NOW);

    expect({ ...lead }).toEqual({
      ...leadIn(LeadStatus.Pending),
      status: 'REACHED_OUT',
      updatedAt: NOW,
      reachedOutAt: NOW,
      reachedOutById: ATTORNEY,
    });
  });

  it('clears by whom and when on the way back, because the contact did not happen', () => {
    const lead = leadIn(LeadStatus.ReachedOut);

    lead.moveTo(LeadStatus.Pending, ATTORNEY, NOW);

    expect({ ...lead }).toEqual({
      ...leadIn(LeadStatus.ReachedOut),
      status: 'PENDING',
      updatedAt: NOW,
      reachedOutAt: null,
      reachedOutById: null,
    });
  });

  it('takes the time of the second contact after a way back', () => {
    const lead = leadIn(LeadStatus.ReachedOut);

    lead.moveTo(LeadStatus.Pending, ATTORNEY, EARLIER);
    lead.moveTo(LeadStatus.ReachedOut, ATTORNEY, NOW);

    expect(lead.reachedOutAt).toEqual(NOW);
  });

  it('needs no user: a part of the system may move a lead', () => {
    const lead = leadIn(LeadStatus.Pending);

    lead.moveTo(LeadStatus.ReachedOut, null, NOW);

    expect([lead.reachedOutAt, lead.reachedOutById]).toEqual([NOW, null]);
  });

  it.each([
    [LeadStatus.Pending, 'Cannot transition from PENDING to PENDING'],
    [LeadStatus.ReachedOut, 'Cannot transition from REACHED_OUT to REACHED_OUT'],
  ])('refuses to stay %s and changes nothing', (status, detail) => {
    const lead = leadIn(status);

    const refusal = refusalOf(() => {
      lead.moveTo(status, ATTORNEY, NOW);
    });

    expect(refusal).toBeInstanceOf(InvalidStatusTransition);
    expect(refusal).toMatchObject({ status: 400, code: 'LEAD_INVALID_STATUS_TRANSITION', detail });
    expect({ ...lead }).toEqual({ ...leadIn(status) });
  });
});

describe('Lead.fullName', () => {
  it('is the first name, a blank and the last name', () => {
    expect(leadIn(LeadStatus.Pending).fullName).toBe('Ada Lovelace');
  });
});
