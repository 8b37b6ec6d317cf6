// The clock of the program, not that of PostgreSQL, is an hour ahead or behind, and right again: libfaketime, from Debian's package.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { Outage } from './outage.mjs';

const NAME = 'clock skewed by an hour, forward and back';
const SIGN_INS = 5;
/** The library looks at its file once a second. */
const SEEN_WITHIN_MS = 2500;

const outage = new Outage();
const file = join(outage.dataDir, 'clock');

/** The path of the library; undefined when it cannot be had. */
function findLibrary() {
  const folder = join(outage.dataDir, 'faketime');
  mkdirSync(folder);
  const commands = [
    ['apt-get', 'download', '-q', 'libfaketime'],
    ['sh', '-c', 'dpkg-deb -x libfaketime_*.deb .'],
  ];
  for (const [program = '', ...args] of commands)
    if (spawnSync(program, args, { cwd: folder, timeout: 60_000 }).status !== 0) return undefined;
  const found = readdirSync(folder, { recursive: true }).find((name) => String(name).endsWith('/libfaketime.so.1'));
  return found === undefined ? undefined : join(folder, String(found));
}

/** @param {number} hours */
async function setClock(hours) {
  writeFileSync(`${file}.new`, `${hours < 0 ? '' : '+'}${hours * 3600}\n`);
  renameSync(`${file}.new`, file);
  await sleep(SEEN_WITHIN_MS);
}

/** The status of a sign-in, and that of a request with the token it gave. */
async function signIn() {
  const url = `${outage.forecourt?.url}/api/v1`;
  const answer = await fetch(`${url}/auth/login`, { method: 'POST', body: new URLSearchParams(outage.admin) });
  const { access_token: token } = /** @type {{ access_token?: string }} */ (await answer.json());
  if (token === undefined) return [answer.status];
  const list = await fetch(`${url}/leads`, { headers: { Authorization: `Bearer ${token}` } });
  return [answer.status, list.status];
}

/** Until the limit of a minute refuses. */
async function useUpSignIns() {
  for (let attempts = 0; (await signIn())[0] !== 429; attempts += 1)
    if (attempts > 2 * SIGN_INS) throw new Error('sign-ins are not limited');
}

/** @param {string} when */
async function expectSignIn(when) {
  const statuses = await signIn();
  if (String(statuses) !== '200,200') outage.problems.push(`${when} a sign-in and its token are answered ${statuses}`);
}

const library = findLibrary();
if (library === undefined) outage.skip(NAME, 'libfaketime cannot be had');
else {
  writeFileSync(file, '+0\n');
  const { startEmbeddedPostgres } = /** @type {typeof import('../../src/database/embedded-postgres.js')} */ (
    await import(new URL('../../dist/src/database/embedded-postgres.js', import.meta.url).href)
  );
  const { url } = await startEmbeddedPostgres(outage.dataDir, pino({ level: 'silent' }));
  let skew = 0;
  await outage.run(
    {
      name: NAME,
      isReady: 'always',
      async begin() {
        skew = skew === 1 ? -1 : 1;
        // whoever was refused before the clock went back is not refused for an hour
        if (skew < 0) await useUpSignIns();
        await setClock(skew);
        await expectSignIn(`with the clock ${skew < 0 ? 'an hour behind' : 'an hour ahead'}`);
        if (skew > 0) await useUpSignIns();
      },
      end: () => setClock(0),
      async prove() {
        if (skew > 0) await expectSignIn('with the clock right again');
        return [];
      },
    },
    {
      DATABASE_URL: url,
      RATE_LIMIT_LOGIN: String(SIGN_INS),
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  );
}
process.exit();
