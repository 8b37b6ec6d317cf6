import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Access } from '../../src/auth/auth.decorators.js';
import { SCOPES } from '../../src/auth/permissions.js';
import { PROJECT_ROOT } from '../../src/config/project-root.js';
import { startApp, type TestApp } from '../support/app.js';
import { type ApiDocument, type Operation, operationsOf, type Schema } from '../support/openapi.js';
import { routesOf } from '../support/routes.js';

/** The document as it was last agreed on. `npm run docs` (or UPDATE_OPENAPI=1) rewrites it; the diff is reviewed. */
const COMMITTED = join(PROJECT_ROOT, 'test', 'contracts', 'openapi.json');

let app: TestApp;
let document: ApiDocument;
let operations: Map<string, Operation>;

beforeAll(async () => {
  app = await startApp();
  document = (await (await app.request('/openapi.json')).json()) as ApiDocument;
  operations = operationsOf(document);
});
afterAll(() => app.close());

const schemaOf = (name: string): Schema | undefined => document.components.schemas[name];

describe('the document at /openapi.json', () => {
  it('is the one that was agreed on', () => {
    const text = `${JSON.stringify(document, null, 2)}\n`;
    if (process.env['UPDATE_OPENAPI'] === '1') writeFileSync(COMMITTED, text);

    expect(existsSync(COMMITTED)).toBe(true);
    const committed = readFileSync(COMMITTED, 'utf8');
    expect(document).toEqual(JSON.parse(committed));
    expect(text).toBe(committed);
  });

  it('describes every route of the application, save the development inbox', () => {
    const served = routesOf(app.app).map(({ name }) => name);

    expect([...operations.keys()].sort()).toEqual(served.filter((name) => !name.includes(' /dev/')).sort());
  });

  it('is of OpenAPI 3.1 and refers to nothing that is not in it', () => {
    const text = JSON.stringify(document);
    const references = [...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, reference = '']) => reference);

    expect(document.openapi).toBe('3.1.0');
    expect(references.length).toBeGreaterThan(20);
    expect(references.filter((each) => schemaOf(each.replace('#/components/schemas/', '')) === undefined)).toEqual([]);
  });

  it('gives each operation an id of its own, a summary and a known tag', () => {
    const ids = [...operations.values()].map(({ operationId }) => operationId);
    const tags = document.tags.map(({ name }) => name);

    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    for (const [name, { operationId, summary = '', tags: own = [] }] of operations) {
      expect([name, operationId]).toEqual([name, expect.stringMatching(/^[a-z][A-Za-z]+$/)]);
      expect([name, summary]).toEqual([name, expect.stringMatching(/^\S.{3,}[^.]$/)]);
      expect([name, own]).toEqual([name, [expect.stringMatching(new RegExp(`^(${tags.join('|')})$`))]]);
    }
  });

  it('gives every success a schema, save those without a body', () => {
    const without = [...operations].filter(([, { responses }]) => {
      const successes = Object.entries(responses).filter(([status]) => /^(2|303)/.test(status));
      const schemasOf = ({ content = {} }: (typeof successes)[number][1]): unknown[] =>
        Object.values(content).map(({ schema }) => schema);
      const isShaped = successes
        .filter(([status]) => !['204', '303'].includes(status))
        .map(([, answer]) => schemasOf(answer))
        .every((all) => all.length > 0 && !all.includes(undefined));
      return successes.length === 0 || !isShaped;
    });

    expect(without.map(([name]) => name)).toEqual([]);
  });

  it('gives every field of every schema a type', () => {
    const untyped = Object.entries(document.components.schemas).flatMap(([name, { properties = {} }]) =>
      Object.entries(properties)
        .filter(([, field]) => field.type === undefined && !JSON.stringify(field).includes('$ref'))
        .map(([field]) => `${name}.${field}`),
    );

    expect(untyped).toEqual([]);
  });

  it('signs in with the OAuth2 password flow, at the address that answers it', () => {
    expect(document.components.securitySchemes).toEqual({
      oauth2: { type: 'oauth2', flows: { password: { tokenUrl: '/api/v1/auth/login', scopes: {} } } },
      // for accounts whose sign-in has a second step, which that flow cannot take
      bearer: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: expect.stringContaining('login/verify'),
      },
      apiKey: {
        type: 'apiKey',
        in: 'header',
        name: 'X-API-Key',
        description: 'For programs; or `Authorization: Bearer fck_…`',
      },
    });
    expect(operations.get('POST /api/v1/auth/login')?.requestBody?.content).toHaveProperty([
      'application/x-www-form-urlencoded',
    ]);
  });

  it('asks for a token where a permission is needed and nowhere else, or for an API key where there are keys for it', () => {
    const securityOf = (access: Access | undefined): object[] | undefined => {
      if (access === 'public') return undefined;
      const takesKeys = access !== undefined && SCOPES.has(access);
      return [{ oauth2: [] }, { bearer: [] }, ...(takesKeys ? [{ apiKey: [] }] : [])];
    };
    for (const { name, access } of routesOf(app.app)) {
      const operation = operations.get(name);
      if (operation !== undefined) expect([name, operation.security]).toEqual([name, securityOf(access)]);
    }
  });

  it('takes the résumé as a file of a multipart form', () => {
    const content = operations.get('POST /api/v1/leads')?.requestBody?.content ?? {};

    expect(Object.keys(content)).toEqual(['multipart/form-data']);
    expect(content['multipart/form-data']?.schema).toEqual({ $ref: '#/components/schemas/SubmitLeadRequest' });
    expect(schemaOf('SubmitLeadRequest')).toMatchObject({
      required: ['first_name', 'last_name', 'email', 'resume'],
      properties: {
        first_name: { type: 'string', minLength: 1, maxLength: 100 },
        last_name: { type: 'string', minLength: 1, maxLength: 100 },
        email: { type: 'string', format: 'email', maxLength: 254 },
        resume: { type: 'string', format: 'binary' },
      },
    });
  });

  it('gives the résumé back as one of the three types', () => {
    const { content } = operations.get('GET /api/v1/leads/:lead_id/resume')!.responses['200']!;

    expect(content).toEqual({
      'application/pdf': { schema: { type: 'string', format: 'binary' } },
      'application/msword': { schema: { type: 'string', format: 'binary' } },
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document': {
        schema: { type: 'string', format: 'binary' },
      },
    });
  });

  it('describes the parameters of the list of leads', () => {
    const { parameters } = operations.get('GET /api/v1/leads')!;

    expect(
      Object.fromEntries(parameters.map(({ name, required, schema }) => [name, { required, ...schema }])),
    ).toMatchObject({
      page: { required: false, type: 'integer', minimum: 1, default: 1 },
      size: { required: false, type: 'integer', minimum: 1, maximum: 100, default: 50 },
      status: { required: false, $ref: '#/components/schemas/LeadStatus' },
      sort_by: {
        required: false,
        default: 'created_at',
        enum: ['created_at', 'updated_at', 'reached_out_at', 'first_name', 'last_name', 'email', 'status'],
      },
      sort_order: { required: false, default: 'desc', enum: ['asc', 'desc'] },
    });
  });

  it('says of every id in a path that it is a UUID, save jobs, which are numbers, and providers, which have names', () => {
    const OTHERS: Record<string, object> = {
      job_id: { type: 'integer', format: 'int64', minimum: 1 },
      provider: { type: 'string', pattern: '^[a-z][a-z0-9]{0,19}$' },
    };
    for (const [name, { parameters }] of operations) {
      const inPath = parameters.filter((parameter) => parameter.in === 'path');

      expect([name, inPath.map(({ name: id, required, schema }) => [id, required, schema])]).toEqual([
        name,
        [...name.matchAll(/:(\w+)/g)].map(([, id]) => [
          id,
          true,
          OTHERS[id ?? ''] ?? { type: 'string', format: 'uuid' },
        ]),
      ]);
    }
  });

  it('names the fields of the envelope', () => {
    expect(schemaOf('ErrorResponse')).toMatchObject({
      required: ['detail', 'error_code', 'timestamp', 'request_id'],
      properties: {
        field_errors: { type: 'object', additionalProperties: { type: 'array', items: { type: 'string' } } },
      },
    });
  });

  it('writes every field and every parameter in snake_case', () => {
    const names = [
      ...Object.values(document.components.schemas).flatMap(({ properties = {} }) => Object.keys(properties)),
      ...[...operations.values()].flatMap(({ parameters }) => parameters.map(({ name }) => name)),
    ];

    expect(names.filter((name) => !/^[a-z]+[0-9]*(_[a-z0-9]+)*$/.test(name))).toEqual([]);
  });
});
