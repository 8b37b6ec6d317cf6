import { QueryFailedError } from 'typeorm';
import { isDatabaseAway, toEnvelope } from './error.filter.js';
import { InternalError, refusal, UnprocessableFields } from './errors.js';

const NOW = new Date('2026-01-31T10:30:00.000Z');
const ID = '3f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b';

class Refused extends refusal(409, 'TEST_REFUSED', 'Not like this') {}

const withCode = (code: unknown, message = 'x'): Error => Object.assign(new Error(message), { code });

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

describe('isDatabaseAway', () => {
  it.each(['08000', '08001', '08003', '08004', '08006', '08007', '08P01', '57P01', '57P02', '57P03', '53300'])(
    'says yes to SQLSTATE %s',
    (code) => {
      expect(isDatabaseAway(withCode(code))).toBe(true);
    },
  );

  it.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH'])(
    'says yes to the system error %s',
    (code) => {
      expect(isDatabaseAway(withCode(code))).toBe(true);
    },
  );

  it.each([
    'Connection terminated',
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'timeout exceeded when trying to connect',
    'timeout expired',
    'Client has encountered a connection error and is not queryable',
    'Client was closed and is not queryable',
  ])('says yes to what pg says: %s', (message) => {
    expect(isDatabaseAway(new Error(message))).toBe(true);
  });

  it('looks into what TypeORM wraps', () => {
    const wrapped = (driverError: Error): Error => new QueryFailedError('SELECT 1', [], driverError);

    expect(isDatabaseAway(wrapped(withCode('57P01')))).toBe(true);
    expect(isDatabaseAway(wrapped(new Error('Connection terminated unexpectedly')))).toBe(true);
    expect(isDatabaseAway(Object.assign(new Error('x'), { driverError: withCode('57P01') }))).toBe(true);
    expect(isDatabaseAway(wrapped(withCode('23505')))).toBe(false);
  });

  it('looks into the attempts at every address of a host', () => {
    expect(isDatabaseAway(new AggregateError([withCode('X'), withCode('ECONNREFUSED')]))).toBe(true);
    expect(isDatabaseAway(new AggregateError([withCode('X')]))).toBe(false);
  });

  it('is not caught by an error that wraps itself', () => {
    const error = new Error('x');

    expect(isDatabaseAway(Object.assign(error, { driverError: error }))).toBe(false);
  });

  it.each([
    ['a duplicate', withCode('23505')],
    ['a serialisation failure', withCode('40001')],
    ['a statement that was cancelled', withCode('57014')],
    ['a dropped database', withCode('57P04')],
    ['a full disk', withCode('53100')],
    ['a time out of range, whose code ends with 08', withCode('22008')],
    ['a class that only begins like 08', withCode('8006')],
    ['a code that only contains 57P01', withCode('x57P01')],
    ['a numeric code', withCode(8006)],
    ['a missing file', withCode('ENOENT')],
    ['an ordinary error', new Error('x is not a function')],
    ['a text', 'Connection terminated'],
    ['an object', { code: '08006' }],
    ['null', null],
    ['undefined', undefined],
  ])('says no to %s', (_, thrown) => {
    expect(isDatabaseAway(thrown)).toBe(false);
  });
});
