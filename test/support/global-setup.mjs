import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';

/**
 * One PostgreSQL for the whole run, which need not survive a crash; every test makes databases of its own in it. Jest
 * does not map `.js` to TypeScript here, so this takes the built program, which `npm test` makes first.
 */
export default async function setup() {
  const program = new URL('../../dist/src/database/embedded-postgres.js', import.meta.url).href;
  const { startEmbeddedPostgres } = await import(program);
  const folder = await mkdtemp(join(tmpdir(), 'forecourt-test-'));
  await chmod(folder, 0o755);
  const careless = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];
  const postgres = await startEmbeddedPostgres(folder, pino({ level: 'silent' }), careless);
  process.env['TEST_DATABASE_URL'] = postgres.url;
  Object.assign(globalThis, { forecourtTestServer: { postgres, folder } });
}
