// The file system of the uploads has no room left, and gets it back: a tmpfs that is made smaller under the program.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Outage } from './outage.mjs';

const NAME = 'disk full (ENOSPC under UPLOAD_DIR)';
const ROOM_BYTES = 1024 * 1024 * 1024;
/** What is left: enough for a probe and for small files, never for a large one. */
const LEFT_BYTES = 256 * 1024;

const outage = new Outage();
const uploads = join(outage.dataDir, 'uploads');

/** @param {string} size */
const mount = (size, isMounted = true) =>
  run('mount', [
    ...(isMounted ? ['-o', `remount,size=${size}`] : ['-t', 'tmpfs', '-o', `size=${size}`, 'none']),
    uploads,
  ]);

/** @param {string} program @param {string[]} args */
function run(program, args) {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

const usedBytes = () => {
  const { bsize, blocks, bfree } = statfsSync(uploads);
  return bsize * (blocks - bfree);
};

mkdirSync(uploads);
const refusal = mount(String(ROOM_BYTES), false);
if (refusal !== undefined) outage.skip(NAME, 'no tmpfs can be mounted here');
else {
  const cleanUp = () => run('umount', ['-l', uploads]);
  process.once('exit', cleanUp);
  // refused when less than is used: the clients may have written meanwhile
  const room = async (/** @type {() => number} */ bytes) => {
    for (let tries = 1; ; tries += 1) {
      const problem = mount(String(bytes()));
      if (problem === undefined) return;
      if (tries === 20) throw new Error(`the tmpfs keeps its size: ${problem}`);
      await sleep(50);
    }
  };
  await outage.run(
    {
      name: NAME,
      isReady: 'either',
      begin: () => room(() => usedBytes() + LEFT_BYTES),
      end: () => room(() => ROOM_BYTES),
      prove() {
        const left = readdirSync(join(uploads, '.incoming'));
        return left.map((name) => `file ${name}: is left half-way in`);
      },
      cleanUp,
    },
    { UPLOAD_DIR: uploads },
  );
}
