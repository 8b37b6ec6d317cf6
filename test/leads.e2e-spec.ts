import { startApp, type TestApp } from './support/app.js';
import { submit } from './support/leads.js';

describe('POST /api/v1/leads', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  it('takes a lead', async () => {
    const response = await submit(app);

    expect(response.status).toBe(201);
  });
});
