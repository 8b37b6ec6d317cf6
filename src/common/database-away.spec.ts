import { QueryFailedError } from 'typeorm';
import { isDatabaseAway } from './database-away.js';

const withCode = (code: unknown, message = 'x'): Error => Object.assign(new Error(message), { code });

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
