import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { unpackPackages } from './debian.js';
import { makeFolder, Program } from './program.js';

interface RedisProgram {
  readonly path: string;
  readonly libraries: string;
}

/** redis-server as installed, or from Debian's unpacked packages. A sentence when there is none. */
export function findRedis(): RedisProgram | string {
  const root = existsSync('/usr/bin/redis-server')
    ? '/'
    : unpackPackages([
        'redis-server',
        // the server is a link to a program of this one
        'redis-tools',
        'libatomic1',
        'libjemalloc2',
        'liblzf1',
        'libssl3',
        'libsystemd0',
      ]);
  if (root === undefined) return 'Debian’s packages of Redis cannot be had here';
  const folder = join(root, 'usr', 'lib');
  const found: RedisProgram = {
    path: join(root, 'usr', 'bin', 'redis-server'),
    libraries: readdirSync(folder)
      .filter((name) => name.endsWith('-linux-gnu'))
      .map((name) => join(folder, name))
      .join(':'),
  };
  const { status, stderr } = spawnSync(found.path, ['--version'], {
    env: { LD_LIBRARY_PATH: found.libraries },
    encoding: 'utf8',
  });
  return status === 0 ? found : `redis-server does not run here: ${stderr.trim()}`;
}

export interface Redis {
  readonly url: string;
  /** As a crash ends it. */
  kill(): Promise<void>;
  /** At the same address, with nothing in it. */
  startAgain(): Promise<void>;
}

/** A Redis with a password, until the test is over. */
export async function startRedis({ path, libraries }: RedisProgram): Promise<Redis> {
  const folder = await makeFolder();
  const launch = async (port: number): Promise<Program | undefined> => {
    const flags = { port, bind: '127.0.0.1', dir: folder, save: '', requirepass: 'secret' };
    const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const program = new Program({ LD_LIBRARY_PATH: libraries }, { command: [path, ...args] });
    const said = await program.says(/Ready to accept connections|Address already in use/);
    return said.startsWith('Ready') ? program : undefined;
  };
  for (;;) {
    // below the range from which the system takes the ports of outgoing connections
    const port = randomInt(20_000, 32_000);
    let program = await launch(port);
    if (program === undefined) continue;
    return {
      url: `redis://:secret@127.0.0.1:${port}`,
      kill: async () => {
        program?.signal('SIGKILL');
        await program?.ended;
      },
      startAgain: async () => {
        program = await launch(port);
        if (program === undefined) throw new Error('the port of Redis was taken meanwhile');
      },
    };
  }
}
