import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { refusalsOf } from '../../src/common/api-errors.js';
import { AppError, type Refusal } from '../../src/common/errors.js';
import { PROJECT_ROOT } from '../../src/config/project-root.js';
import { startApp, type TestApp } from '../support/app.js';
import { type ApiDocument, type Operation, operationsOf } from '../support/openapi.js';
import { routesOf } from '../support/routes.js';

/** The statuses that Forecourt says no with. */
const STATUSES = [400, 401, 403, 404, 405, 408, 409, 413, 415, 416, 422, 429, 500, 503];

const FILES = readdirSync(join(PROJECT_ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
  /(^|[/.])errors\.ts$/.test(file),
);

let refusals: [string, Refusal][];
let app: TestApp;
let operations: Map<string, Operation>;

beforeAll(async () => {
  const modules = await Promise.all(
    FILES.map(async (file) =>
      Object.entries((await import(join(PROJECT_ROOT, 'src', file))) as Record<string, unknown>),
    ),
  );
  refusals = modules.flat().filter((entry): entry is [string, Refusal] => {
    const [, exported] = entry;
    return typeof exported === 'function' && exported.prototype instanceof AppError;
  });
  app = await startApp();
  const response = await app.request('/openapi.json');
  operations = operationsOf((await response.json()) as ApiDocument);
});
afterAll(() => app.close());

/** What the document says of the refusals of a route: `404 LEAD_NOT_FOUND`. */
const documentedOf = (operation: Operation): string[] =>
  Object.entries(operation.responses)
    .filter(([status]) => Number(status) >= 400)
    .flatMap(([status, { content }]) =>
      Object.keys(content?.['application/json']?.examples ?? {}).map((code) => `${status} ${code}`),
    );

/** The names of the operations for which a rule does not hold. */
const breaking = (holds: (documented: string[], operation: Operation, name: string) => boolean): string[] =>
  [...operations].filter(([name, operation]) => !holds(documentedOf(operation), operation, name)).map(([name]) => name);

describe('the refusals of all modules', () => {
  it('are found: each errors file has some', () => {
    expect(FILES.length).toBeGreaterThanOrEqual(6);
    expect(refusals.length).toBeGreaterThanOrEqual(30);
  });

  it('have codes in capitals, one to each class', () => {
    const codes = refusals.map(([, { code }]) => code);

    expect(codes.filter((code) => !/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(code) && code !== 'FORBIDDEN')).toEqual([]);
    // the same defect of a request is 400 on two routes and 422 on all others
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual(['VALIDATION_ERROR']);
  });

  it('have a status that says who is at fault', () => {
    expect(refusals.filter(([, { status }]) => !STATUSES.includes(status)).map(([name]) => name)).toEqual([]);
  });

  it('have a sentence for a person, without full stop and without anything technical', () => {
    const odd = refusals.filter(([, { detail }]) => !/^[A-Z][^_{}<>]{8,100}[^.!\s]$/.test(detail));

    expect(odd.map(([name]) => name)).toEqual([]);
  });

  it('are thrown as what they are declared', () => {
    for (const [name, Refused] of refusals) {
      const { status, code, detail } = new Refused();

      expect([name, status, code, detail]).toEqual([name, Refused.status, Refused.code, Refused.detail]);
      expect(new Refused().name).toBe(name);
    }
  });

  it('challenge whoever is not signed in (RFC 9110, 11.6.1)', () => {
    const silent = refusals.filter(
      ([, Refused]) => Refused.status === 401 && new Refused().headers['WWW-Authenticate'] === undefined,
    );

    expect(silent.map(([name]) => name)).toEqual([]);
  });
});

describe('the documented errors', () => {
  it('have the envelope as their schema, in JSON and in nothing else', () => {
    const odd = breaking((_, { responses }) =>
      Object.entries(responses)
        .filter(([status]) => Number(status) >= 400)
        .every(
          ([, { content = {} }]) =>
            Object.keys(content).join() === 'application/json' &&
            content['application/json']?.schema?.$ref === '#/components/schemas/ErrorResponse',
        ),
    );

    expect(odd).toEqual([]);
  });

  it('show an example for each code that their description names, made as the refusal itself would be', () => {
    const known = new Map(refusals.map(([, Refused]) => [`${Refused.status} ${Refused.code}`, Refused]));

    for (const { responses } of operations.values()) {
      for (const [status, { description, content }] of Object.entries(responses)) {
        if (Number(status) < 400) continue;
        const examples = content?.['application/json']?.examples ?? {};
        expect(description.split(/,\s*|\s+/).sort()).toEqual(Object.keys(examples).sort());
        for (const [code, { value }] of Object.entries(examples)) {
          const { detail } = new (known.get(`${status} ${code}`)!)();
          expect(value).toMatchObject({
            detail,
            error_code: code,
            request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          });
        }
      }
    }
  });

  it('are those that the route declares, none lost on the way', () => {
    for (const { name, handler } of routesOf(app.app)) {
      const operation = operations.get(name);
      if (operation === undefined) continue;
      const declared = refusalsOf(handler).map(({ status, code }) => `${status} ${code}`);
      expect([name, documentedOf(operation).sort()]).toEqual([name, [...new Set(declared)].sort()]);
    }
  });

  it.each<[string, Parameters<typeof breaking>[0]]>([
    ['every route: something unexpected', (documented) => documented.includes('500 INTERNAL_ERROR')],
    [
      'every route behind a permission: no token, a bad token, no permission',
      (documented, { security }) =>
        security === undefined ||
        ['401 NOT_AUTHENTICATED', '401 INVALID_TOKEN', '403 FORBIDDEN'].every((each) => documented.includes(each)),
    ],
    [
      'every route but the pulse and the public keys: no database',
      (documented, _, name) =>
        ['GET /health/live', 'GET /.well-known/jwks.json'].includes(name) ||
        documented.includes('503 SERVICE_UNAVAILABLE'),
    ],
    [
      'every route with a body: too large, of another type, invalid',
      (documented, { requestBody }) =>
        requestBody === undefined ||
        (['413 ', '415 UNSUPPORTED_MEDIA_TYPE', '4'].every((each) => documented.some((one) => one.startsWith(each))) &&
          documented.some((one) => /^(400|422) VALIDATION_ERROR$/.test(one))),
    ],
    [
      'every route with parameters: invalid',
      (documented, { parameters }) => parameters.length === 0 || documented.includes('422 VALIDATION_ERROR'),
    ],
    [
      'every route with an id in its path: not found',
      (documented, { parameters }) =>
        !parameters.some((parameter) => parameter.in === 'path') || documented.some((one) => one.startsWith('404 ')),
    ],
    [
      'every route for which requests are counted: too many',
      (documented, _, name) =>
        !['POST /api/v1/leads', 'POST /api/v1/auth/login', 'POST /api/v1/admin/mail/test'].includes(name) ||
        documented.includes('429 RATE_LIMITED'),
    ],
    [
      'the public form: everything that can be wrong with an upload',
      (documented, _, name) =>
        name !== 'POST /api/v1/leads' ||
        [
          '400 FILE_UPLOAD_FAILED',
          '400 MALFORMED_REQUEST',
          '409 LEAD_EMAIL_DUPLICATE',
          '413 FILE_TOO_LARGE',
          '415 FILE_TYPE_NOT_ALLOWED',
          '500 FILE_STORAGE_FAILED',
          '503 FILE_STORAGE_FULL',
        ].every((each) => documented.includes(each)),
    ],
  ])('cover %s', (_, holds) => {
    expect(breaking(holds)).toEqual([]);
  });
});
