import { createHash, randomInt } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackPackages } from './debian.js';
import { makeFolder, Program } from './program.js';

/** The harmless text that every scanner takes for malware, in parts, so that no scanner takes this file for it. */
export const EICAR = Buffer.from(
  ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-', 'ANTIVIRUS-TEST-FILE!', '$H+H*'].join(''),
);
/** clamd's StreamMaxLength. */
export const MOST_STREAM_BYTES = 4 * 1024 * 1024;

interface ClamdProgram {
  readonly path: string;
  readonly libraries: string;
}

/** clamd as installed, or from Debian's unpacked packages. A sentence when there is none. */
export function findClamd(): ClamdProgram | string {
  const root = existsSync('/usr/sbin/clamd') ? '/' : unpackPackages(['clamav-daemon', 'libclamav12', 'libmspack0']);
  if (root === undefined) return 'Debian’s packages of clamd cannot be had here';
  const folder = join(root, 'usr', 'lib');
  const found: ClamdProgram = {
    path: join(root, 'usr', 'sbin', 'clamd'),
    libraries: readdirSync(folder)
      .filter((name) => name.endsWith('-linux-gnu'))
      .map((name) => join(folder, name))
      .join(':'),
  };
  const { status, stderr } = spawnSync(found.path, ['--help'], {
    env: { LD_LIBRARY_PATH: found.libraries },
    encoding: 'utf8',
  });
  return status === 0 ? found : `clamd does not run here: ${stderr.trim()}`;
}

export interface Clamd {
  readonly host: string;
  readonly port: number;
  /** As a crash ends it. */
  kill(): Promise<void>;
}

/** A clamd that knows nothing but {@link EICAR}, until the test is over. */
export async function startClamd({ path, libraries }: ClamdProgram): Promise<Clamd> {
  const folder = await makeFolder();
  const [database, settings] = [join(folder, 'database'), join(folder, 'clamd.conf')];
  await mkdir(database);
  // name:target:offset:hex and hash:size:name
  await writeFile(join(database, 'local.ndb'), `Forecourt.Eicar-Body:0:*:${EICAR.toString('hex')}\n`);
  const hash = createHash('md5').update(EICAR).digest('hex');
  await writeFile(join(database, 'local.hdb'), `${hash}:${EICAR.length}:Forecourt.Eicar-File\n`);
  for (;;) {
    // below the range from which the system takes the ports of outgoing connections
    const port = randomInt(20_000, 32_000);
    const lines = [
      'Foreground yes',
      `DatabaseDirectory ${database}`,
      `TemporaryDirectory ${folder}`,
      'TCPAddr 127.0.0.1',
      `TCPSocket ${port}`,
      `StreamMaxLength ${MOST_STREAM_BYTES}`,
    ];
    await writeFile(settings, lines.join('\n'));
    const program = new Program({ LD_LIBRARY_PATH: libraries }, { command: [path, '--config-file', settings] });
    const said = await program.says(/Self checking every|already in use/);
    if (said === 'already in use') continue;
    return {
      host: '127.0.0.1',
      port,
      kill: async () => {
        program.signal('SIGKILL');
        await program.ended;
      },
    };
  }
}
