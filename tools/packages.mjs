// The packages that the program is installed with, from the lock file and from what lies in node_modules. `npm sbom --omit dev` leaves
// out packages that development needs as well, such as nodemailer, so it is not asked.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {{ version: string, dev?: boolean, optional?: boolean, devOptional?: boolean, integrity?: string, resolved?: string,
 *   hasInstallScript?: boolean, dependencies?: Record<string, string>, optionalDependencies?: Record<string, string>,
 *   peerDependencies?: Record<string, string>, name?: string }} Locked
 * @typedef {{ path: string, name: string, version: string, isOptional: boolean, integrity: string, license: string | undefined,
 *   dependsOn: string[] }} Package
 */

/**
 * What package.json says where it says too little, by name and version; read in the package itself.
 * @type {Record<string, string>}
 */
const READ_BY_US = {
  // its LICENSE is the text of two clauses
  'duck@0.1.12': 'BSD-2-Clause',
  // its Readme.md has the text
  'pause@0.0.1': 'MIT',
};

/** @param {string} root the folder of package.json @returns {Record<string, Locked>} by path; the empty one is the project */
export function lockedPackages(root) {
  return JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
}

/** Those that `npm ci --omit=dev` installs on this platform, by path. @param {string} root @returns {Package[]} */
export function programPackages(root) {
  const locked = lockedPackages(root);
  return Object.entries(locked)
    .filter(([path, { dev }]) => path !== '' && dev !== true && existsSync(join(root, path, 'package.json')))
    .map(([path, entry]) => {
      const { version, integrity = '', optional, devOptional } = entry;
      const name = entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      const wanted = { ...entry.dependencies, ...entry.optionalDependencies, ...entry.peerDependencies };
      return {
        path,
        name,
        version,
        isOptional: optional === true || devOptional === true,
        integrity,
        license: READ_BY_US[`${name}@${version}`] ?? licenseIn(join(root, path)),
        dependsOn: Object.keys(wanted).flatMap((each) => resolve(locked, path, each) ?? []),
      };
    })
    .sort((one, other) => (one.path < other.path ? -1 : 1));
}

/**
 * As Node looks for it: below the package, beside it, and so on up to the top. Undefined where it is not there for the program.
 * @param {Record<string, Locked>} locked @param {string} from @param {string} name
 */
function resolve(locked, from, name) {
  for (let folder = from; ;) {
    const path = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    const found = locked[path];
    if (found !== undefined) return found.dev === true ? undefined : path;
    if (folder === '') return undefined;
    // the top has no slash before its node_modules
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')));
  }
}

/** The expression of package.json, or of the older list of licences. @param {string} folder */
function licenseIn(folder) {
  const { license, licenses } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (typeof license === 'string') return license;
  const [first] = [license, ...(Array.isArray(licenses) ? licenses : [])].filter((each) => each !== undefined);
  return typeof first?.type === 'string' ? first.type : undefined;
}

/** Bytes of the files of a package, without those of packages below it. @param {string} folder @returns {number} */
export function bytesIn(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules')
    .map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? bytesIn(path) : entry.isFile() ? statSync(path).size : 0;
    })
    .reduce((sum, bytes) => sum + bytes, 0);
}
