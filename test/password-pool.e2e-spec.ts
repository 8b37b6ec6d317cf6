import { startApp, type TestApp } from './support/app.js';
import { get, jsonOf, login } from './support/leads.js';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ BCRYPT_ROUNDS: '11', ROLE: 'http' });
});
afterAll(() => app.close());

describe('more sign-ins at once than there is room for', () => {
  it('are answered with 503 and Retry-After, known name or not; the others and other requests as ever', async () => {
    const tried = Array.from({ length: 160 }, async (_, index) => {
      const response = await login(app, index % 2 === 0 ? 'admin' : 'nobody', 'a wrong guess');
      const { error_code: code } = await jsonOf(response);
      return [index % 2, response.status, code, response.headers.get('retry-after')].join(' ');
    });
    const health = await get(app, '/health/live');

    const answers = [...new Set(await Promise.all(tried))].sort();

    expect(health.status).toBe(200);
    expect(answers).toEqual([
      '0 401 INVALID_CREDENTIALS ',
      '0 503 SIGN_IN_BUSY 2',
      '1 401 INVALID_CREDENTIALS ',
      '1 503 SIGN_IN_BUSY 2',
    ]);
  });
});
