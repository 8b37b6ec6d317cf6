// PostgreSQL is stopped, frozen or killed under submissions, and comes back: `--fault stop`, `freeze` or `kill`.
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { FAULTS, FaultyPostgres } from '../faulty-postgres.mjs';
import { Outage } from './outage.mjs';

/** @import { DatabaseFault } from '../faulty-postgres.mjs' */

const { values } = parseArgs({ strict: false, options: { fault: { type: 'string', default: 'freeze' } } });
const kind = /** @type {DatabaseFault} */ (String(values.fault));
if (!Object.hasOwn(FAULTS, kind)) throw new Error(`--fault must be one of ${Object.keys(FAULTS).join(', ')}`);

const built = (/** @type {string} */ file) => import(new URL(`../../dist/src/database/${file}`, import.meta.url).href);
/** @type {[typeof import('../../src/database/embedded-postgres.js'), typeof import('../../src/database/postgres-programs.js')]} */
const [{ startEmbeddedPostgres }, { PostgresPrograms }] = await Promise.all([
  built('embedded-postgres.js'),
  built('postgres-programs.js'),
]);
const outage = new Outage();
const { url } = await startEmbeddedPostgres(outage.dataDir, pino({ level: 'silent' }));
const cluster = `${outage.dataDir}/postgres`;
const postgres = new FaultyPostgres(outage.dataDir, await PostgresPrograms.find(outage.dataDir, cluster));
await outage.run(
  { name: FAULTS[kind], begin: () => postgres.suffer(kind), end: () => postgres.recover() },
  { DATABASE_URL: url },
);
// the session that kept the server for this process
process.exit();
