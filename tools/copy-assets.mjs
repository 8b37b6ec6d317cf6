// Puts beside the compiled program what it reads, and what it serves from packages that are there only for development, and
// marks the build.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
mkdirSync('dist/assets', { recursive: true });
for (const file of ['redoc.standalone.js', 'redoc.standalone.js.LICENSE.txt']) {
  copyFileSync(require.resolve(`redoc/bundles/${file}`), `dist/assets/${file}`);
}
copyFileSync('src/auth/passwords/common-passwords.txt', 'dist/src/auth/passwords/common-passwords.txt');
writeFileSync('dist/.built', '');
