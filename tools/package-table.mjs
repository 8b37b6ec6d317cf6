// Writes how many packages the program comes with, and what they take, as README.md shows it.
import { readFileSync } from 'node:fs';
import { bytesIn, programPackages } from './packages.mjs';

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
// optional ones differ from platform to platform
const packages = programPackages('.').filter(({ isOptional }) => !isOptional);
const megabytes = packages.map(({ path }) => bytesIn(path)).reduce((sum, bytes) => sum + bytes, 0) / 1_000_000;
/** @type {Map<string, number>} */
const byLicense = new Map();
for (const { license = 'none' } of packages) byLicense.set(license, (byLicense.get(license) ?? 0) + 1);
const licenses = [...byLicense].sort(([one, less], [other, more]) => more - less || (one < other ? -1 : 1));
process.stdout.write(
  `${Object.keys(dependencies).length} packages that we chose bring ${packages.length} in all, ${megabytes.toFixed(0)} MB; embedded PostgreSQL, which the image\n` +
    `leaves out, comes on top. Licences: ${licenses.map(([license, count]) => `${license} (${count})`).join(', ')}.\n`,
);
