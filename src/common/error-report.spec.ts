import { join } from 'node:path';
import { PROJECT_ROOT } from '../config/project-root.js';
import { reportOf, withoutValues } from './error-report.js';

describe('withoutValues', () => {
  it.each([
    ['invalid input syntax for type uuid: "Ada Lovelace"', 'invalid input syntax for type uuid: "…"'],
    ["column 'Ada''s secret' is odd", 'column "…""…" is odd'],
    ['nobody ada@example.com here', 'nobody ***@example.com here'],
    ['call +49 (30) 1234-567 or 030/123456', 'call … or …'],
    ['token eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.x', 'token ….x'],
    ["it can't be read, and doesn't say why", "it can't be read, and doesn't say why"],
    ['answered 500: INTERNAL_ERROR', 'answered 500: INTERNAL_ERROR'],
  ])('makes of %j %j', (text, told) => {
    expect(withoutValues(text).replace(/\S+(?=@example\.com)/, '***')).toBe(told);
  });
});

describe('reportOf', () => {
  it('tells the chain of errors with places in the program, and of the line ids alone', () => {
    const cause = new TypeError('of "Ada"');
    const err = new Error('on two\n    lines', { cause });
    err.stack = `Error: on two\n    lines\n    at work (${join(PROJECT_ROOT, 'dist', 'x.js')}:1:2)`;

    const report = reportOf({ err, request_id: 'r', job_id: 7, email: 'a@b.test', logger: 'jobs' }, 'failed', 'error');

    expect(report).toMatchObject({
      level: 'error',
      message: 'failed',
      tags: { request_id: 'r', job_id: '7', logger: 'jobs' },
    });
    expect(report?.errors[0]).toEqual({
      type: 'Error',
      message: 'on two\n    lines',
      stack: `Error\n    at work (${join('dist', 'x.js')}:1:2)`,
    });
    expect(report?.errors[1]).toMatchObject({ type: 'TypeError', message: 'of "…"' });
    expect(report?.errors[1]?.stack).not.toContain(PROJECT_ROOT);
    expect(Object.keys(report?.tags ?? {}).sort()).toEqual(['job_id', 'logger', 'request_id']);
  });

  it('is silent of what is no error, and of what was foreseen', () => {
    const err = new Error('x');
    expect(reportOf({}, 'x', 'error')).toBeUndefined();
    expect(reportOf({ err: 'x' }, 'x', 'error')).toBeUndefined();
    expect(reportOf({ err, error_code: 'SERVICE_UNAVAILABLE' }, 'x', 'error')).toBeUndefined();
    expect(reportOf({ err, error_code: 'INTERNAL_ERROR' }, 'x', 'error')).toBeDefined();
    const away = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
    expect(reportOf({ err: new Error('a job failed', { cause: away }) }, 'x', 'error')).toBeUndefined();
    expect(reportOf({ err: away }, 'x', 'fatal')).toBeDefined();
    const round = new Error('x');
    expect(reportOf({ err: Object.assign(round, { cause: round }) }, 'x', 'error')).toBeDefined();
  });
});
