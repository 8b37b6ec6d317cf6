import { createHash } from 'node:crypto';
import { type HashedFields, hashOf, NO_HASH } from './audit-hash.js';

const FIELDS: HashedFields = {
  id: '3f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b',
  at: '2026-11-21T20:00:00.000001Z',
  actor_kind: 'user',
  actor_id: '4f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b',
  actor_name: 'Zoë "Z"',
  ip: '203.0.113.7',
  user_agent: null,
  request_id: '5f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b',
  action: 'lead.status_changed',
  target_kind: 'lead',
  target_id: '6f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b',
  outcome: 'done',
  details: '{"to": "REACHED_OUT"}',
};

describe('hashOf', () => {
  it('is what the documented form gives, so that anybody can compute it again', () => {
    const written =
      `["forecourt-audit-1","1","${NO_HASH}","3f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b","2026-11-21T20:00:00.000001Z","user",` +
      `"4f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b","Zoë \\"Z\\"","203.0.113.7",null,"5f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b",` +
      `"lead.status_changed","lead","6f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b","done","{\\"to\\": \\"REACHED_OUT\\"}"]`;

    expect(hashOf(1n, NO_HASH, FIELDS)).toBe(createHash('sha256').update(written).digest('hex'));
  });

  it.each(Object.keys(FIELDS) as (keyof HashedFields)[])('changes with %s', (name) => {
    expect(hashOf(1n, NO_HASH, { ...FIELDS, [name]: `${FIELDS[name] ?? ''}x` })).not.toBe(hashOf(1n, NO_HASH, FIELDS));
  });

  it('changes with the place, with the entry before, and when text moves from one field to the next', () => {
    const moved = { ...FIELDS, action: 'lead.status_changedlead', target_kind: '' };

    const hashes = [
      hashOf(1n, NO_HASH, FIELDS),
      hashOf(2n, NO_HASH, FIELDS),
      hashOf(1n, '1'.repeat(64), FIELDS),
      hashOf(1n, NO_HASH, moved),
      hashOf(1n, NO_HASH, { ...FIELDS, user_agent: '' }),
    ];

    expect(new Set(hashes).size).toBe(5);
  });
});
