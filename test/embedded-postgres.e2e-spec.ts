import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { isAlive, kill, killTree, postmasterOf } from '../tools/processes.mjs';
import { eventually } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import {
  aLivingProcess,
  aStoppedCluster,
  clusterOf,
  connected,
  keepRows,
  leavePidFile,
  makeFakePostgres,
  portOf,
  query,
  rowsKept,
  start,
  writePidFile,
} from './support/postgres.js';
import { makeFolder, someSettings, startProgram } from './support/program.js';

afterEach(() => cleanUp());
afterAll(() => cleanUp('the whole file'));

describe('an embedded PostgreSQL', () => {
  it('starts on an empty folder, and again on the same folder with everything that was in it', async () => {
    const dataDir = await makeFolder();

    const first = await start(dataDir);
    await keepRows(first);
    await first.stop();
    expect(postmasterOf(dataDir)).toBeUndefined();
    const second = await start(dataDir);

    expect(await rowsKept(second)).toBe(1000);
    await second.stop();
    expect(await readdir(dataDir)).toEqual(['postgres']);
  });

  it('listens on 127.0.0.1 alone and asks for its password', async () => {
    const server = await start(await makeFolder());
    const wrong = new URL(server.url);
    wrong.password = 'guessed';

    await expect(query({ url: wrong.toString() }, 'SELECT 1')).rejects.toThrow('password authentication failed');
    const others = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');
    for (const { address } of others) expect(await canConnect(address, portOf(server))).toBe(false);
    await server.stop();
  });

  it('keeps its files and its password from other users', async () => {
    const dataDir = await makeFolder();
    const server = await start(dataDir);

    expect((await stat(clusterOf(dataDir))).mode & 0o777).toBe(0o700);
    expect((await stat(join(clusterOf(dataDir), 'forecourt.password'))).mode & 0o777).toBe(0o600);
    await server.stop();
  });

  it('recovers every committed row when all its processes were killed at once', async () => {
    const dataDir = await makeFolder();
    await keepRows(await start(dataDir));
    await killTree(postmasterOf(dataDir) ?? 0);
    expect(existsSync(join(clusterOf(dataDir), 'postmaster.pid'))).toBe(true);

    const server = await start(dataDir);

    expect(await rowsKept(server)).toBe(1000);
    await server.stop();
  });

  it('waits for a session that outlives its killed server, and never runs beside it', async () => {
    const dataDir = await makeFolder();
    const server = await start(dataDir);
    await keepRows(server);
    const client = await connected(server);
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const session = rows[0]?.pid ?? 0;
    // computing, it does not notice that its server is gone
    const busy = client.query(`DO $$ BEGIN
      FOR n IN 1..1000000000 LOOP EXIT WHEN clock_timestamp() > statement_timestamp() + interval '3 s'; END LOOP; END $$`);
    busy.catch(() => undefined);
    await eventually('the session computes', async () => {
      const [row] = await query<{ busy: boolean }>(
        server,
        `SELECT state = 'active' AS busy FROM pg_stat_activity WHERE pid = ${session}`,
      );
      return row?.busy;
    });
    kill(postmasterOf(dataDir) ?? 0);
    await eventually('the server is gone', async () => postmasterOf(dataDir) === undefined);
    expect(isAlive(session)).toBe(true);

    const next = await start(dataDir);

    expect(isAlive(session)).toBe(false);
    expect(await rowsKept(next)).toBe(1000);
    await next.stop();
  });

  it('starts although postmaster.pid names a process that is gone', async () => {
    const dataDir = await aStoppedCluster();
    await leavePidFile(dataDir, spawnSync('true').pid);

    const server = await start(dataDir);

    expect(await rowsKept(server)).toBe(1000);
    await server.stop();
  });

  it('starts although postmaster.pid names another living process, and leaves that process alone', async () => {
    const dataDir = await aStoppedCluster();
    const other = await aLivingProcess('sleep');
    await leavePidFile(dataDir, other);

    const server = await start(dataDir);

    expect(await rowsKept(server)).toBe(1000);
    await server.stop();
    expect(isAlive(other)).toBe(true);
  });

  it('starts although postmaster.pid names another program of the name postgres', async () => {
    const dataDir = await aStoppedCluster();
    await leavePidFile(dataDir, await aLivingProcess(await makeFakePostgres()));

    const server = await start(dataDir);

    expect(await rowsKept(server)).toBe(1000);
    await server.stop();
  });

  if (process.platform === 'linux') {
    it('starts although postmaster.pid names a zombie of the name postgres', async () => {
      const dataDir = await aStoppedCluster();
      // the shell becomes a program that does not reap its child
      const parent = spawn('sh', ['-c', `'${await makeFakePostgres()}' 300 & echo $!; exec sleep 300`]);
      atEnd(() => parent.kill('SIGKILL'));
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const zombie = Number(line.toString());
      atEnd(() => {
        kill(zombie);
      });
      await eventually(
        'the shell is gone',
        async () => readFileSync(`/proc/${parent.pid ?? ''}/comm`, 'utf8') === 'sleep\n',
      );
      kill(zombie);
      await eventually('the child is a zombie', async () => !isAlive(zombie));
      process.kill(zombie, 0);
      await leavePidFile(dataDir, zombie);

      const server = await start(dataDir);

      expect(await rowsKept(server)).toBe(1000);
      await server.stop();
    });
  }

  it('starts although postmaster.pid is empty, as a crash of the machine leaves it', async () => {
    const dataDir = await aStoppedCluster();
    await writePidFile(dataDir, '');

    const server = await start(dataDir);

    expect(await rowsKept(server)).toBe(1000);
    await server.stop();
  });

  it('says what PostgreSQL says when it cannot start, without half a minute of trying', async () => {
    const dataDir = await aStoppedCluster();
    await writeFile(join(clusterOf(dataDir), 'PG_VERSION'), '9.6\n');
    const began = performance.now();

    await expect(start(dataDir)).rejects.toThrow('database files are incompatible with server');

    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

describe('the users of an embedded PostgreSQL', () => {
  it('that start on an empty folder at the same moment get one cluster and a working connection each', async () => {
    const dataDir = await makeFolder();

    const servers = await Promise.all([start(dataDir), start(dataDir), start(dataDir)]);

    expect(new Set(servers.map(({ url }) => url)).size).toBe(1);
    await keepRows(servers[0]);
    expect(await Promise.all(servers.map(rowsKept))).toEqual([1000, 1000, 1000]);
    expect(await readdir(dataDir)).toEqual(['postgres']);
    for (const server of servers) await server.stop();
    expect(postmasterOf(dataDir)).toBeUndefined();
  });

  it('join the server that a killed program left running, and the last of them stops it', async () => {
    const settings = await someSettings();
    const killed = await startProgram(settings);
    const postmaster = postmasterOf(settings.DATA_DIR);
    killed.signal('SIGKILL');
    await killed.ended;
    expect(postmasterOf(settings.DATA_DIR)).toBe(postmaster);

    const joined = await start(settings.DATA_DIR);

    expect(postmasterOf(settings.DATA_DIR)).toBe(postmaster);
    expect(await query(joined, 'SELECT username FROM users')).toEqual([{ username: 'admin' }]);
    await joined.stop();
    expect(postmasterOf(settings.DATA_DIR)).toBeUndefined();
  });

  it('leave it running for the others, whoever started it', async () => {
    const dataDir = await makeFolder();
    const first = await start(dataDir);
    const second = await start(dataDir);
    expect(portOf(second)).toBe(portOf(first));

    await first.stop();

    expect(await query(second, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await second.stop();
    expect(postmasterOf(dataDir)).toBeUndefined();
  });

  it('leave it running while a client of another kind is connected', async () => {
    const dataDir = await makeFolder();
    const server = await start(dataDir);
    const client = await connected(server);

    await server.stop();

    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await client.end();
    const next = await start(dataDir);
    await next.stop();
    expect(postmasterOf(dataDir)).toBeUndefined();
  });

  it('that stop at the same moment all succeed, and leave nothing running', async () => {
    const dataDir = await makeFolder();
    const servers = await Promise.all([start(dataDir), start(dataDir), start(dataDir), start(dataDir)]);

    await Promise.all(servers.map((server) => server.stop()));

    expect(postmasterOf(dataDir)).toBeUndefined();
  });

  it('are not mistaken for others by the sessions that they themselves have just closed', async () => {
    const dataDir = await makeFolder();
    const server = await start(dataDir);
    const clients = await Promise.all(Array.from({ length: 20 }, () => connected(server)));

    // sent off, not awaited: their sessions end some time later
    for (const client of clients) void client.end();
    await server.stop();

    expect(postmasterOf(dataDir)).toBeUndefined();
  });

  it('that start while the last one stops get a running server', async () => {
    const dataDir = await makeFolder();
    let server = await start(dataDir);
    await keepRows(server);

    for (let round = 0; round < 3; round += 1) {
      const [, next] = await Promise.all([server.stop(), start(dataDir)]);
      expect(await rowsKept(next)).toBe(1000);
      server = next;
    }
    await server.stop();
  });

  it('can stop it when it was killed before', async () => {
    const dataDir = await makeFolder();
    const server = await start(dataDir);
    await killTree(postmasterOf(dataDir) ?? 0);

    await expect(server.stop()).resolves.toBeUndefined();
  });
});

describe('what a killed first start left half-made', () => {
  const MAKING = 'postgres.making-0d7f7c52-3f6e-4a1c-9f7e-6a1f6f1f2c11';

  async function leaveHalfMade(dataDir: string, minutesAgo: number): Promise<void> {
    await mkdir(join(dataDir, MAKING, 'base'), { recursive: true });
    await writeFile(join(dataDir, `${MAKING}.password`), 'half-made');
    const then = new Date(Date.now() - minutesAgo * 60_000);
    for (const name of [MAKING, `${MAKING}.password`]) await utimes(join(dataDir, name), then, then);
  }

  it('does not disturb the next start, and stays while another process may be at work on it', async () => {
    const dataDir = await makeFolder();
    await leaveHalfMade(dataDir, 1);

    const server = await start(dataDir);

    expect(await query(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect((await readdir(dataDir)).sort()).toEqual(['postgres', MAKING, `${MAKING}.password`]);
    await server.stop();
  });

  it('is removed when it is old, by a first start and by a later one', async () => {
    const dataDir = await makeFolder();
    await leaveHalfMade(dataDir, 11);
    const first = await start(dataDir);
    expect(await readdir(dataDir)).toEqual(['postgres']);
    await first.stop();

    await leaveHalfMade(dataDir, 11);
    const second = await start(dataDir);

    expect(await readdir(dataDir)).toEqual(['postgres']);
    await second.stop();
  });
});

function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const finish = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', finish(true)).once('error', finish(false)).once('timeout', finish(false));
  });
}
