import { Controller, Get, Post } from '@nestjs/common';
import { ACCESS, Allow, Public } from '../../src/auth/auth.decorators.js';
import { Permission } from '../../src/auth/permissions.js';
import { startApp, type TestApp } from '../support/app.js';
import { get, tokenOf } from '../support/leads.js';
import { routesOf, routesOfController, servedRoutesOf } from '../support/routes.js';

const NOBODY = '00000000-0000-4000-8000-000000000000';
const addressOf = (path: string): string => path.replace(/:\w+/g, NOBODY);

/** Everything that a stranger may call. Whoever adds a line here opens a door. */
const PUBLIC = [
  'GET /.well-known/jwks.json',
  'GET /api/v1/auth/openid/:provider/callback',
  'GET /api/v1/auth/providers',
  'GET /health',
  'GET /health/live',
  'GET /health/ready',
  'POST /api/v1/auth/email/confirm',
  'POST /api/v1/auth/email/verification',
  'POST /api/v1/auth/email/verify',
  'POST /api/v1/auth/invitations/accept',
  'POST /api/v1/auth/login',
  'POST /api/v1/auth/magic-link',
  'POST /api/v1/auth/magic-link/verify',
  'POST /api/v1/auth/password/forgot',
  'POST /api/v1/auth/password/reset',
  'POST /api/v1/auth/login/verify',
  'POST /api/v1/auth/passkeys/options',
  'POST /api/v1/auth/passkeys/verify',
  'POST /api/v1/auth/openid/:provider',
  'POST /api/v1/auth/openid/exchange',
  'POST /api/v1/auth/refresh',
  'POST /api/v1/leads',
];

/** What a stranger may call in addition while Forecourt runs for development without a mail server. */
const INBOX = [
  'GET /dev/mail',
  'GET /dev/mail/:id',
  'GET /dev/mail/:id/html',
  'GET /dev/mail/:id/source',
  'GET /dev/mail/:id/text',
];

/** Everything else, and what it takes. */
const ALLOWED = {
  'DELETE /api/v1/admin/api-keys/:api_key_id': 'api_keys:revoke',
  'DELETE /api/v1/admin/invitations/:invitation_id': 'users:change',
  'DELETE /api/v1/admin/jobs/buried/:job_id': 'jobs:operate',
  'DELETE /api/v1/admin/mail/suppressions/:suppression_id': 'mail:operate',
  'DELETE /api/v1/admin/privacy/holds/:hold_id': 'privacy:hold',
  'DELETE /api/v1/admin/users/:user_id/factors': 'users:change',
  'DELETE /api/v1/admin/users/:user_id/sessions': 'sessions:end',
  'DELETE /api/v1/auth/api-keys/:api_key_id': 'self',
  'DELETE /api/v1/auth/identities/:identity_id': 'self',
  'DELETE /api/v1/auth/sessions/:session_id': 'self',
  'DELETE /api/v1/leads/:lead_id': 'leads:delete',
  'GET /api/v1/admin/api-keys': 'api_keys:read',
  'GET /api/v1/admin/audit-entries': 'audit:read',
  'GET /api/v1/admin/audit-entries/export': 'audit:read',
  'GET /api/v1/admin/invitations': 'users:read',
  'GET /api/v1/admin/jobs': 'jobs:operate',
  'GET /api/v1/admin/jobs/buried': 'jobs:operate',
  'GET /api/v1/admin/mail/dns': 'mail:read',
  'GET /api/v1/admin/mail/messages': 'mail:read',
  'GET /api/v1/admin/mail/messages/:message_id': 'mail:read',
  'GET /api/v1/admin/mail/messages/:message_id/preview': 'mail:read',
  'GET /api/v1/admin/mail/status': 'mail:read',
  'GET /api/v1/admin/mail/suppressions': 'mail:read',
  'GET /api/v1/admin/privacy/erasures': 'privacy:read',
  'GET /api/v1/admin/privacy/erasures/:erasure_id': 'privacy:read',
  'GET /api/v1/admin/privacy/holds': 'privacy:read',
  'GET /api/v1/admin/privacy/retention': 'privacy:read',
  'GET /api/v1/admin/users': 'users:read',
  'GET /api/v1/admin/users/:user_id': 'users:read',
  'GET /api/v1/admin/users/:user_id/sessions': 'sessions:read',
  'GET /api/v1/auth/factors': 'self',
  'GET /api/v1/auth/api-keys': 'self',
  'GET /api/v1/auth/me': 'profile:read',
  'GET /api/v1/auth/identities': 'self',
  'GET /api/v1/auth/sessions': 'self',
  'GET /api/v1/files/:file_id': 'files:inspect',
  'GET /api/v1/files/:file_id/quarantined': 'files:quarantined',
  'GET /api/v1/leads': 'leads:read',
  'GET /api/v1/leads/:lead_id': 'leads:read',
  'GET /api/v1/leads/:lead_id/history': 'leads:read',
  'GET /api/v1/leads/:lead_id/resume': 'leads:read',
  'GET /api/v1/users': 'users:read',
  'PATCH /api/v1/admin/users/:user_id': 'users:change',
  'PATCH /api/v1/leads/:lead_id': 'leads:change',
  'PATCH /api/v1/users/:user_id': 'users:change',
  'POST /api/v1/admin/invitations': 'users:change',
  'POST /api/v1/admin/invitations/:invitation_id/resend': 'users:change',
  'POST /api/v1/admin/jobs/buried/:job_id/retry': 'jobs:operate',
  'POST /api/v1/admin/mail/messages/:message_id/cancel': 'mail:operate',
  'POST /api/v1/admin/mail/messages/:message_id/resend': 'mail:operate',
  'POST /api/v1/admin/mail/test': 'mail:operate',
  'POST /api/v1/admin/privacy/erasures': 'privacy:erase',
  'POST /api/v1/admin/privacy/export': 'privacy:read',
  'POST /api/v1/admin/privacy/find': 'privacy:read',
  'POST /api/v1/admin/privacy/holds': 'privacy:hold',
  'POST /api/v1/admin/users': 'users:change',
  'POST /api/v1/admin/users/:user_id/unlock': 'users:change',
  'POST /api/v1/auth/email': 'self',
  'POST /api/v1/auth/factors/:factor_id/remove': 'self',
  'POST /api/v1/auth/factors/passkeys': 'self',
  'POST /api/v1/auth/factors/passkeys/options': 'self',
  'POST /api/v1/auth/factors/recovery-codes': 'self',
  'POST /api/v1/auth/factors/totp': 'self',
  'POST /api/v1/auth/factors/totp/:factor_id/confirm': 'self',
  'POST /api/v1/auth/api-keys': 'self',
  'POST /api/v1/auth/api-keys/:api_key_id/rotate': 'self',
  'POST /api/v1/auth/identities': 'self',
  'POST /api/v1/auth/identities/:provider': 'self',
  'POST /api/v1/auth/logout': 'self',
  'POST /api/v1/auth/logout-everywhere': 'self',
  'POST /api/v1/auth/password': 'self',
  'POST /api/v1/auth/register': 'users:register',
};

/** Served by the documentation itself, past the controllers. */
const DOCS = /^GET \/(docs|redoc|openapi\.json)(\/|$)/;

let app: TestApp;

describe('in development', () => {
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  it('every route says who may call it', () => {
    const silent = routesOf(app.app).filter(({ access }) => access === undefined);

    expect(silent.map(({ name }) => name)).toEqual([]);
  });

  it('the public routes are these and no others', () => {
    const open = routesOf(app.app).filter(({ access }) => access === 'public');

    expect(open.map(({ name }) => name).sort()).toEqual([...INBOX, ...PUBLIC].sort());
  });

  it('every other route takes the permission written here', () => {
    const closed = routesOf(app.app).filter(({ access }) => access !== 'public');

    expect(Object.fromEntries(closed.map(({ name, access }) => [name, access]))).toEqual(ALLOWED);
  });

  it('nothing is served that no controller declares, save the documentation', () => {
    const served = servedRoutesOf(app.app).filter((name) => !DOCS.test(name));

    expect(served.sort()).toEqual(
      routesOf(app.app)
        .map(({ name }) => name)
        .sort(),
    );
  });

  it.each(Object.keys(ALLOWED))('%s answers 401 to whoever has no token', async (name) => {
    const [method, path = ''] = name.split(' ');

    const response = await app.request(addressOf(path), { method });

    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="forecourt"');
    expect(await response.json()).toMatchObject({ error_code: 'NOT_AUTHENTICATED' });
  });

  it.each(Object.keys(ALLOWED))('%s answers 401 to a token that Forecourt never made', async (name) => {
    const [method, path = ''] = name.split(' ');
    const forged = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(`{"sub":"${NOBODY}"}`).toString('base64url')}.`;

    const response = await app.request(addressOf(path), { method, headers: { Authorization: `Bearer ${forged}` } });

    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error_code: 'INVALID_TOKEN' });
  });

  it('a stranger is told to sign in before anything is read: neither a broken id nor a broken body matters', async () => {
    const answers = await Promise.all([
      app.request('/api/v1/leads/nonsense'),
      app.request('/api/v1/leads?size=nonsense'),
      app.request('/api/v1/auth/register', { method: 'POST', body: '{', headers: { 'Content-Type': 'text/css' } }),
      app.request(`/api/v1/leads/${NOBODY}`, { method: 'PATCH', body: 'x'.repeat(200_000) }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
  });

  it('a route that says nothing is closed to everybody, whatever their token', async () => {
    const token = await tokenOf(app);
    const { handler, access } = routesOf(app.app).find(({ name }) => name === 'GET /health/live')!;
    Reflect.deleteMetadata(ACCESS, handler);

    const answers = await Promise.all([get(app, '/health/live'), get(app, '/health/live', token)]);
    Reflect.defineMetadata(ACCESS, access, handler);

    expect(answers.map(({ status }) => status)).toEqual([403, 403]);
  });

  it.each(PUBLIC)('%s asks nobody for a token', async (name) => {
    const [method, path = ''] = name.split(' ');

    // as a page of ours: some answer to no other
    const response = await app.request(path, { method, headers: { Origin: 'http://localhost:3000' } });

    expect([401, 403, 404, 500]).not.toContain(response.status);
  });
});

describe('in production', () => {
  beforeAll(async () => {
    app = await startApp({
      ENVIRONMENT: 'production',
      SECRET_KEY: 'q8Zr1v-K3mWt_Xy7Lp0Bn5Hd2Gj9Fs4CaE6uTi',
      ADMIN_PASSWORD: 'Tr0ub4dor & 3',
      BCRYPT_ROUNDS: '12',
    });
  });
  afterAll(() => app.close());

  it('neither the development inbox nor the documentation is there', () => {
    const names = routesOf(app.app).map(({ name }) => name);

    expect(names.sort()).toEqual([...PUBLIC, ...Object.keys(ALLOWED)].sort());
    expect(servedRoutesOf(app.app).sort()).toEqual(names);
  });

  it.each(['/dev/mail', '/docs', '/redoc', '/openapi.json', '/docs-json', '/api-json'])(
    '%s is not found',
    async (path) => {
      expect((await app.request(path)).status).toBe(404);
    },
  );
});

describe('this contract', () => {
  @Controller({ path: 'planted', version: '1' })
  class PlantedController {
    @Get(':id')
    @Allow(Permission.Self)
    closed(): void {}

    @Post()
    @Public()
    open(): void {}

    @Get('forgotten')
    forgotten(): void {}

    /** No route. */
    helper(): void {}
  }

  it('sees a route that says nothing', () => {
    expect(routesOfController(PlantedController).map(({ name, access }) => [name, access])).toEqual([
      ['GET /api/v1/planted/:id', 'self'],
      ['POST /api/v1/planted', 'public'],
      ['GET /api/v1/planted/forgotten', undefined],
    ]);
  });
});
