import type pg from 'pg';
import type { Clock } from '../common/clock.js';
import type { Config } from '../config/config.js';
import { findEmbeddedPostgres } from '../database/embedded-postgres.js';
import { migrationsOf } from '../database/migration-state.js';
import { OLDEST_POSTGRES } from '../database/open-database.js';
import { queryOf } from '../database/query.js';
import { connectTo } from './connection.js';
import { type Finding, failed, fine, wordsOf, skipped, warning } from './finding.js';

const MOST_CLOCK_DIFFERENCE_MS = 2_000;
/** Where a line that is not encrypted leaves nothing but this machine or its own containers. */
const NEARBY = /^(localhost|127\.|::1$|\[::1\]$|[^.:]+$)/;

export interface Server {
  readonly version: string;
  readonly version_number: number;
  readonly encoding: string;
  readonly is_encrypted: boolean;
  readonly is_read_only: boolean;
  readonly free_connections: number;
  readonly knows_plpgsql: boolean;
}

interface Rights {
  readonly makes_tables: boolean;
  readonly makes_schemas: boolean;
  readonly foreign_tables: string[];
}

/** All there is to say of the database; changes nothing in it, and says one thing only when it is away. */
export async function checkDatabase(config: Config, clock: Clock): Promise<readonly Finding[]> {
  const url = config.database.url ?? (await findEmbeddedPostgres(config.dataDir));
  if (url === undefined)
    return [skipped('database', 'the embedded PostgreSQL is not running; start Forecourt to have it looked at')];
  let client: pg.Client;
  try {
    client = await connectTo(url);
  } catch (error) {
    return [failed('database', wordsOf(error), adviceFor(error))];
  }
  try {
    await client.query('BEGIN READ ONLY');
    const server = await serverOf(client);
    return [
      ...findingsOf(server, url, config),
      await clockFinding(client, clock),
      await migrationsFinding(client),
      await rightsFinding(client),
    ];
  } finally {
    await client.end().catch(() => undefined);
  }
}

function adviceFor(error: unknown): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (/^28/.test(code)) return 'Correct user and password in DATABASE_URL';
  if (code === '3D000') return 'Make the database (CREATE DATABASE … OWNER …), or correct its name in DATABASE_URL';
  if (code === '53300') return 'Raise max_connections, or lower DB_POOL_SIZE and DB_MAX_OVERFLOW of all processes';
  if (/^57P/.test(code)) return 'Wait until PostgreSQL has started, and run this again';
  return 'Start PostgreSQL, or correct host and port in DATABASE_URL; see that no firewall is between';
}

async function serverOf(client: pg.Client): Promise<Server> {
  const { rows } = await client.query<Server>(`
    SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS version_number,
      current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS is_read_only,
      coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS is_encrypted,
      current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> 'forecourt')::int
        AS free_connections,
      EXISTS (SELECT FROM pg_language WHERE lanname = 'plpgsql') AS knows_plpgsql`);
  const [row] = rows;
  if (row === undefined) throw new Error('PostgreSQL says nothing of itself');
  return row;
}

/** What PostgreSQL says of itself, and whether it suits. */
export function findingsOf(server: Server, url: string, { database, isProduction, processes }: Config): Finding[] {
  const { version, version_number: number, encoding } = server;
  const mostConnections = database.poolMax * processes;
  const findings = [
    number < OLDEST_POSTGRES
      ? failed('database', `PostgreSQL ${version} is too old`, 'Use PostgreSQL 14 or newer')
      : fine('database', `PostgreSQL ${version} answers`),
    server.knows_plpgsql
      ? fine('extensions', 'plpgsql is there, and no other is needed')
      : failed('extensions', 'plpgsql is missing', 'CREATE EXTENSION plpgsql, as a superuser of the database'),
  ];
  if (server.is_read_only)
    findings.push(failed('database', 'it is a standby, which cannot be written', 'Name the primary in DATABASE_URL'));
  if (encoding !== 'UTF8')
    findings.push(
      failed('database', `its encoding is ${encoding}: names would be lost`, 'Make it with ENCODING UTF8 instead'),
    );
  if (server.free_connections < mostConnections)
    findings.push(
      warning(
        'connections',
        `${processes === 1 ? 'this process' : `these ${processes} processes`} may open ${mostConnections}, PostgreSQL has ${server.free_connections}`,
        'Raise max_connections, or lower DB_POOL_SIZE and DB_MAX_OVERFLOW',
      ),
    );
  if (isProduction && !server.is_encrypted && !NEARBY.test(new URL(url).hostname))
    findings.push(
      warning(
        'database',
        'the line to it is not encrypted',
        'Add ?sslmode=verify-full to DATABASE_URL, or a private line',
      ),
    );
  return findings;
}

async function clockFinding(client: pg.Client, clock: Clock): Promise<Finding> {
  const asked = clock.now().getTime();
  const { rows } = await client.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  const answered = clock.now().getTime();
  const theirs = rows[0]?.now.getTime() ?? NaN;
  // somewhere on the way there and back the database looked at its clock
  const apart = Math.max(asked - theirs, theirs - answered, 0);
  return apart <= MOST_CLOCK_DIFFERENCE_MS
    ? fine('clock', 'it agrees with that of the database')
    : warning(
        'clock',
        `it is ${(apart / 1000).toFixed(1)} seconds from that of the database`,
        'Have both machines set their clocks by NTP (timedatectl set-ntp true): codes and tokens depend on them',
      );
}

async function migrationsFinding(client: pg.Client): Promise<Finding> {
  const { done, pending, unknown } = await migrationsOf(queryOf(client));
  if (unknown.length > 0)
    return failed(
      'migrations',
      `a newer version has run ${unknown.join(', ')}`,
      'Start that version, or restore the backup from before the upgrade',
    );
  if (done.length === 0) return fine('migrations', 'the database is empty; the first start fills it');
  if (pending.length === 0) return fine('migrations', `all ${done.length} have run`);
  return warning(
    'migrations',
    `${pending.length} have not run: ${pending.join(', ')}`,
    'Make a backup; the next start of this version runs them',
  );
}

async function rightsFinding(client: pg.Client): Promise<Finding> {
  const { rows } = await client.query<Rights>(`
    SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS makes_tables,
      has_database_privilege(current_database(), 'CREATE') OR to_regnamespace('graphile_worker') IS NOT NULL AS makes_schemas,
      array(
        SELECT relname::text FROM pg_class
        WHERE relkind IN ('r', 'p', 'S', 'v') AND relnamespace IN (to_regnamespace(current_schema()), to_regnamespace('graphile_worker'))
          AND NOT pg_has_role(relowner, 'USAGE')
        ORDER BY 1
      ) AS foreign_tables`);
  const [rights] = rows;
  const missing = [
    ...(rights?.makes_tables === true ? [] : ['it may not make tables']),
    ...(rights?.makes_schemas === true ? [] : ['it may not make the schema of jobs']),
    ...(rights?.foreign_tables ?? []).map((table) => `${table} belongs to another role`),
  ];
  return missing.length === 0
    ? fine('privileges', 'the role may do what it has to')
    : failed(
        'privileges',
        missing.join('; '),
        'Make the role of DATABASE_URL the owner: ALTER DATABASE … OWNER TO …, and REASSIGN OWNED BY … TO … for tables',
      );
}
