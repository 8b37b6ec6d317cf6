import pg from 'pg';
import { QueryFailedError } from 'typeorm';
import { isSurelyRolledBack, violates } from './constraints.js';

/** What TypeORM throws when the database reports an error. */
function reported(code: string | undefined, constraint?: string): QueryFailedError {
  const driverError = Object.assign(new pg.DatabaseError('x', 1, 'error'), { code, constraint });
  return new QueryFailedError('INSERT', [], driverError);
}

describe('violates', () => {
  it.each([
    ['a duplicate', '23505'],
    ['a check', '23514'],
    ['a foreign key', '23503'],
    ['a missing value', '23502'],
    ['an exclusion', '23P01'],
  ])('recognises %s by the name of its constraint', (_, code) => {
    expect(violates(reported(code, 'idx_lead_email'), 'idx_lead_email')).toBe(true);
  });

  it.each<[string, unknown]>([
    ['another constraint', reported('23505', 'idx_lead_resume_path')],
    ['a longer name', reported('23505', 'idx_lead_email_2')],
    ['no constraint', reported('23505')],
    ['another class of errors', reported('40001', 'idx_lead_email')],
    ['no code', reported(undefined, 'idx_lead_email')],
    ['a broken connection', new QueryFailedError('INSERT', [], new Error('Connection terminated'))],
    ['an error that only mentions it', new Error('duplicate key value violates unique constraint "idx_lead_email"')],
    ['a text', 'idx_lead_email'],
  ])('is not deceived by %s', (_, error) => {
    expect(violates(error, 'idx_lead_email')).toBe(false);
  });
});

describe('isSurelyRolledBack', () => {
  it.each(['23505', '23514', '40001', '40P01', '57014', '53100', '22001', '22008', 'P0001', '25P03'])(
    'is sure about %s',
    (code) => {
      expect(isSurelyRolledBack(reported(code))).toBe(true);
    },
  );

  it.each(['08000', '08003', '08006', '08P01', '57P01', '57P02', '57P03', '57P05'])('is not sure about %s', (code) => {
    expect(isSurelyRolledBack(reported(code))).toBe(false);
  });

  it.each<[string, unknown]>([
    ['a report without a code', reported(undefined)],
    ['a connection that broke', new QueryFailedError('COMMIT', [], new Error('Connection terminated unexpectedly'))],
    ['a system error', new QueryFailedError('COMMIT', [], Object.assign(new Error('x'), { code: 'ECONNRESET' }))],
    ['an ordinary error', new TypeError('x is not a function')],
    ['a text', 'rolled back'],
  ])('is not sure about %s', (_, error) => {
    expect(isSurelyRolledBack(error)).toBe(false);
  });
});
