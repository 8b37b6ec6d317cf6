import type { Logger } from 'pino';
import { QueryFailedError } from 'typeorm';
import { buildLogger, describeError, NestLogger } from './logging.js';

type Line = Record<string, unknown>;
type Level = Parameters<typeof buildLogger>[0];

function memoryLogger(level: Level = 'DEBUG'): { logger: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const logger = buildLogger(level, {
    write(text: string) {
      lines.push(JSON.parse(text) as Line);
    },
  });
  return { logger, lines };
}

/** What pg throws for a duplicate, as TypeORM hands it on. */
function duplicate(): QueryFailedError {
  const driverError = Object.assign(new Error('duplicate key value violates unique constraint "idx_lead_email"'), {
    code: '23505',
    constraint: 'idx_lead_email',
    detail: 'Key (email)=(ada@example.com) already exists.',
    where: 'SQL statement with hush',
    table: 'leads',
  });
  return new QueryFailedError('INSERT INTO leads VALUES ($1)', ['ada@example.com', 'hush'], driverError);
}

describe('buildLogger', () => {
  it('writes one JSON line per event: time, level, logger, message and the fields given, nothing of the machine', () => {
    const { logger, lines } = memoryLogger();

    logger.child({ logger: 'mail' }).info({ request_id: 'r1', count: 2 }, 'sent');

    expect(lines).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        level: 'INFO',
        logger: 'mail',
        request_id: 'r1',
        count: 2,
        message: 'sent',
      },
    ]);
  });

  it.each([
    ['trace', undefined],
    ['debug', 'DEBUG'],
    ['info', 'INFO'],
    ['warn', 'WARNING'],
    ['error', 'ERROR'],
    ['fatal', 'CRITICAL'],
  ] as const)('calls the level %s %s', (method, name) => {
    const { logger, lines } = memoryLogger('DEBUG');

    logger[method]('x');

    expect(lines[0]?.['level']).toBe(name);
  });

  it.each<[Level, string[]]>([
    ['DEBUG', ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL']],
    ['INFO', ['INFO', 'WARNING', 'ERROR', 'CRITICAL']],
    ['WARNING', ['WARNING', 'ERROR', 'CRITICAL']],
    ['ERROR', ['ERROR', 'CRITICAL']],
    ['CRITICAL', ['CRITICAL']],
  ])('at level %s writes %j', (level, expected) => {
    const { logger, lines } = memoryLogger(level);

    for (const method of ['debug', 'info', 'warn', 'error', 'fatal'] as const) logger[method]('x');

    expect(lines.map((line) => line['level'])).toEqual(expected);
  });

  it('masks e-mail addresses in the message and in what is put into it', () => {
    const { logger, lines } = memoryLogger();

    logger.info('mail to ada@example.com');
    logger.info({ a: 1 }, 'mail from %s', 'bob@example.com');

    expect(lines.map((line) => line['message'])).toEqual(['mail to a***@example.com', 'mail from b***@example.com']);
  });

  it('masks e-mail addresses in the fields of a line as well', () => {
    const { logger, lines } = memoryLogger();

    logger.info({ recipient: 'ada@example.com', count: 1 }, 'x');

    expect(lines[0]).toMatchObject({ recipient: 'a***@example.com', count: 1 });
  });

  it('masks e-mail addresses in the message that an error lends to its line', () => {
    const { logger, lines } = memoryLogger();

    logger.error(new Error('no mail to ada@example.com'));
    logger.error({ err: new Error('no mail to bob@example.com') });

    expect(lines.map((line) => line['message'])).toEqual([
      'no mail to a***@example.com',
      'no mail to b***@example.com',
    ]);
  });

  it('masks e-mail addresses in an error, in its stack and in its causes', () => {
    const { logger, lines } = memoryLogger();
    const cause = new Error('550 <bob@example.com> unknown');

    logger.error({ err: new Error('no mail to ada@example.com', { cause }) }, 'x');

    const text = JSON.stringify(lines);
    expect(text).toContain('no mail to a***@example.com');
    expect(text).toContain('550 <b***@example.com> unknown');
    expect(text).not.toMatch(/ada@|bob@/);
  });

  it.each([
    '\n',
    '\t',
    '\0',
    '\u0007',
    '\u001b[31m',
    '\u007f',
    '\u0085',
    '\u2028',
    '\ud83d',
    '"',
    '\\',
    '\\u0007',
    `\u0007${'x'.repeat(59)}`,
  ])('writes lines that can be read and hide an address, whatever stands before it: %j', (before) => {
    const { logger, lines } = memoryLogger();
    const text = `to ${before}ada@example.com`;

    logger.info(text);
    logger.info({ recipient: text }, 'x');
    logger.error({ err: new Error(text, { cause: text }) }, 'x');

    expect(lines).toHaveLength(3);
    expect(JSON.stringify(lines)).toContain('***@example.com');
    expect(JSON.stringify(lines)).not.toContain('ada@');
  });

  it('describes an error that is logged by itself in the same way', () => {
    const { logger, lines } = memoryLogger();

    logger.error(duplicate());

    expect(JSON.stringify(lines)).not.toMatch(/ada@example|hush|INSERT/);
    expect(lines[0]?.['err']).toMatchObject({ type: 'QueryFailedError', code: '23505' });
  });
});

describe('describeError', () => {
  it('tells type, message, code, constraint and stack of a driver error, and none of its values', () => {
    const { stack, ...rest } = describeError(duplicate());

    expect(rest).toEqual({
      type: 'QueryFailedError',
      message: 'duplicate key value violates unique constraint "idx_lead_email"',
      code: '23505',
      constraint: 'idx_lead_email',
    });
    expect(stack).toMatch(/^QueryFailedError: duplicate key value[^]*logging\.spec\.ts/);
    expect(JSON.stringify([rest, stack])).not.toMatch(/ada@|hush|INSERT/);
  });

  it('follows the chain of causes to its end', () => {
    const root = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', address: '10.0.0.1' });
    const middle = new TypeError('no connection', { cause: root });

    expect(describeError(new Error('no database', { cause: middle }))).toEqual({
      type: 'Error',
      message: 'no database',
      stack: expect.any(String),
      cause: {
        type: 'TypeError',
        message: 'no connection',
        stack: expect.any(String),
        cause: { type: 'Error', message: 'refused', code: 'ECONNREFUSED', stack: expect.any(String) },
      },
    });
  });

  it('ends a chain of causes that leads back to where it began', () => {
    const first = new Error('first');
    first.cause = new Error('second', { cause: first });

    expect(JSON.stringify(describeError(first))).toContain('second');
  });

  it.each([
    ['a text', 'ada@example.com is away', 'a***@example.com is away'],
    ['a number', 42, '42'],
    ['null', null, 'null'],
    ['an object', { email: 'ada@example.com' }, '[object Object]'],
  ])('tells of %s that was thrown no more than its text', (_, thrown, message) => {
    expect(describeError(thrown)).toEqual({ message });
    expect(describeError(new Error('x', { cause: thrown }))['cause']).toEqual({ message });
  });

  it('keeps a numeric code and drops a code or a constraint that is an object', () => {
    const odd = describeError(Object.assign(new Error('x'), { code: { hush: 1 }, constraint: { hush: 1 } }));

    expect(describeError(Object.assign(new Error('x'), { code: 550 }))['code']).toBe(550);
    expect(Object.keys(odd)).toEqual(['type', 'message', 'stack']);
  });
});

describe('NestLogger', () => {
  it.each([
    ['log', 'DEBUG'],
    ['verbose', undefined],
    ['debug', 'DEBUG'],
    ['warn', 'WARNING'],
    ['error', 'ERROR'],
    ['fatal', 'CRITICAL'],
  ] as const)('writes what Nest says with %s at level %s, under the name of its context', (method, level) => {
    const { logger, lines } = memoryLogger();

    new NestLogger(logger)[method]('routes for ada@example.com', 'RouterExplorer');

    const written = {
      time: expect.any(String),
      level,
      logger: 'RouterExplorer',
      message: 'routes for a***@example.com',
    };
    expect(lines).toEqual(level === undefined ? [] : [written]);
  });

  it('keeps the stack of an error', () => {
    const { logger, lines } = memoryLogger();

    new NestLogger(logger).error(new Error('broken'), 'ExceptionsHandler');

    expect(lines[0]).toMatchObject({ logger: 'ExceptionsHandler', err: { message: 'broken', type: 'Error' } });
  });

  it('keeps the stack that Nest hands over as a text', () => {
    const { logger, lines } = memoryLogger();

    new NestLogger(logger).error('broken', 'Error: broken\n    at somewhere', 'ExceptionsHandler');

    expect(lines[0]).toMatchObject({ logger: 'ExceptionsHandler', message: 'broken' });
    expect(JSON.stringify(lines[0])).toContain('at somewhere');
  });
});
