import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './app.js';
import { atEnd } from './clean-up.js';
import { unpackPackages } from './debian.js';
import { freePort } from './ports.js';
import { makeFolder, Program } from './program.js';

/** Debian's packages of an Apache that serves WebDAV, with what a bare system may lack. */
const PACKAGES = ['apache2-bin', 'libapr1', 'libaprutil1', 'libexpat1', 'libpcre2-8-0'];

const MODULES = ['mpm_event', 'authn_core', 'authn_file', 'auth_basic', 'authz_core', 'authz_user', 'dav', 'dav_fs'];

/** The user that Apache's workers become when root starts it. */
const NOBODY = 65534;

export interface Apache {
  readonly program: string;
  readonly modules: string;
  /** Where its libraries are, when they are not the system's. */
  readonly libraries?: string;
}

/** The machine's own Apache, or one unpacked from Debian's packages; undefined where neither can be had. */
export function findApache(): Apache | undefined {
  const own = spawnSync('sh', ['-c', 'PATH="$PATH:/usr/sbin" command -v apache2'], { encoding: 'utf8' }).stdout.trim();
  const installed = '/usr/lib/apache2/modules';
  if (own !== '' && existsSync(join(installed, 'mod_dav_fs.so'))) return { program: own, modules: installed };
  const root = unpackPackages(PACKAGES);
  if (root === undefined) return undefined;
  const triplet = TRIPLETS[process.arch] ?? '';
  return {
    program: join(root, 'usr/sbin/apache2'),
    modules: join(root, 'usr/lib/apache2/modules'),
    libraries: [`usr/lib/${triplet}`, `lib/${triplet}`].map((each) => join(root, each)).join(':'),
  };
}

const TRIPLETS: Readonly<Record<string, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

export interface RunningApache {
  /** The folder that it serves, which is there and may be written. */
  readonly url: string;
  /** The same on the disk. */
  readonly folder: string;
}

/** Serves an empty folder over WebDAV to whoever knows the name and the password, until the end of the file. */
export async function startApache(
  { program, modules, libraries }: Apache,
  username: string,
  password: string,
): Promise<RunningApache> {
  const root = await makeFolder('the whole file');
  const folder = join(root, 'served');
  for (const each of [folder, join(root, 'locks')]) {
    await mkdir(each);
    if (process.getuid?.() === 0) await chown(each, NOBODY, NOBODY);
  }
  const hash = createHash('sha1').update(password).digest('base64');
  await writeFile(join(root, 'users'), `${username}:{SHA}${hash}\n`);
  await chmod(join(root, 'users'), 0o644);
  const port = await freePort();
  const config = [
    `ServerRoot "${root}"`,
    `Listen 127.0.0.1:${port}`,
    'ServerName 127.0.0.1',
    `PidFile "${root}/apache.pid"`,
    `ErrorLog "${root}/error.log"`,
    ...MODULES.map((name) => `LoadModule ${name}_module "${modules}/mod_${name}.so"`),
    ...(process.getuid?.() === 0 ? [`User "#${NOBODY}"`, `Group "#${NOBODY}"`] : []),
    `Mutex file:${root}/locks default`,
    `DavLockDB "${root}/locks/dav"`,
    `DocumentRoot "${folder}"`,
    `<Directory "${folder}">`,
    'Dav On',
    'AuthType Basic',
    'AuthName "Forecourt test"',
    'AuthBasicProvider file',
    `AuthUserFile "${root}/users"`,
    'Require valid-user',
    '</Directory>',
  ];
  await writeFile(join(root, 'apache.conf'), `${config.join('\n')}\n`);
  const apache = new Program(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }, {
    command: [program, '-f', join(root, 'apache.conf'), '-DFOREGROUND'],
    lifetime: 'the whole file',
  });
  // asked to end, it takes its workers with it
  atEnd(() => apache.stop(), 'the whole file');
  const url = `http://127.0.0.1:${port}/`;
  await eventually('Apache answers', async () => {
    if (apache.hasEnded)
      throw new Error(
        `Apache ended: ${apache.output}${await readFile(join(root, 'error.log'), 'utf8').catch(() => '')}`,
      );
    return fetch(url).then(
      ({ status }) => status === 401,
      () => false,
    );
  });
  return { url, folder };
}

/** Below those that the system hands out for connections, one of which could take it before Apache does. */
