import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { unpackPackages, whyNoPackages } from './debian.js';

export interface ChromiumProgram {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Chromium without a window, and what it links to on Debian 12. */
const PACKAGES =
  'chromium-headless-shell chromium-common libasound2 libasyncns0 libatk1.0-0 libatspi2.0-0 libbrotli1 libbsd0 libdav1d6 libdbus-1-3 libdouble-conversion3 libdrm2 libexpat1 libflac12 libfontconfig1 libfreetype6 libgbm1 libglib2.0-0 libgraphite2-3 libharfbuzz-subset0 libharfbuzz0b libjpeg62-turbo liblcms2-2 libminizip1 libmp3lame0 libmpg123-0 libnspr4 libnss3 libogg0 libopenh264-7 libopenjp2-7 libopus0 libpng16-16 libpulse0 libsndfile1 libvorbis0a libvorbisenc2 libwayland-server0 libx11-6 libx11-xcb1 libxau6 libxcb1 libxcomposite1 libxdamage1 libxdmcp6 libxext6 libxfixes3 libxi6 libxkbcommon0 libxnvctrl0 libxrandr2 libxrender1'.split(
    ' ',
  );

/** Chromium as installed, or from Debian's unpacked packages. A sentence when there is none. */
export function findChromium(): ChromiumProgram | string {
  const installed = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));
  if (installed !== undefined) {
    const program = { path: installed, env: {} };
    if (whyItDoesNotRun(program) === undefined) return program;
  }
  const root = unpackPackages(PACKAGES);
  if (root === undefined) return `Debian’s packages of Chromium cannot be had: ${whyNoPackages()}`;
  const libraries = join(root, 'usr', 'lib');
  const folders = [join(root, 'lib'), libraries]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((path) => path.endsWith('-linux-gnu'));
  const program = {
    path: join(libraries, 'chromium', 'chromium-headless-shell'),
    env: {
      LD_LIBRARY_PATH: folders.flatMap((folder) => [folder, join(folder, 'nss'), join(folder, 'pulseaudio')]).join(':'),
    },
  };
  return whyItDoesNotRun(program) ?? program;
}

function whyItDoesNotRun({ path, env }: ChromiumProgram): string | undefined {
  const { status, stderr, error } = spawnSync(path, ['--version', '--no-sandbox'], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return status === 0 ? undefined : `Chromium does not run here: ${error?.message ?? stderr.trim()}`;
}
