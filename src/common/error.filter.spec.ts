import { toEnvelope } from './error.filter.js';
import { InternalError, refusal, UnprocessableFields } from './errors.js';

const NOW = new Date('2026-01-31T10:30:00.000Z');
const ID = '3f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b';

class Refused extends refusal(409, 'TEST_REFUSED', 'Not like this') {}

describe('toEnvelope', () => {
  it('says sentence, code, time in UTC and request id, and nothing of fields when none is at fault', () => {
    expect(toEnvelope(new Refused(), ID, NOW)).toEqual({
      detail: 'Not like this',
      error_code: 'TEST_REFUSED',
      timestamp: '2026-01-31T10:30:00.000Z',
      request_id: ID,
    });
  });

  it('has no member for absent field errors', () => {
    expect(Object.keys(toEnvelope(new Refused(), ID, NOW))).toEqual([
      'detail',
      'error_code',
      'timestamp',
      'request_id',
    ]);
  });

  it('lists the messages by field', () => {
    const error = new UnprocessableFields({ fieldErrors: { email: ['Email already exists', 'Must be short'] } });

    expect(toEnvelope(error, ID, NOW)).toEqual({
      detail: 'Some fields are missing or invalid',
      error_code: 'VALIDATION_ERROR',
      timestamp: '2026-01-31T10:30:00.000Z',
      request_id: ID,
      field_errors: { email: ['Email already exists', 'Must be short'] },
    });
  });

  it('prefers the sentence of the occasion to the standard one', () => {
    expect(toEnvelope(new Refused({ detail: 'Not today' }), ID, NOW).detail).toBe('Not today');
  });

  it('gives away neither cause nor headers nor stack', () => {
    const error = new InternalError({ cause: new Error('hush: SELECT 1'), headers: { 'X-Hush': 'hush' } });

    expect(JSON.stringify(toEnvelope(error, ID, NOW))).not.toMatch(/hush|error\.filter|SELECT/i);
  });
});
