// Writes the bill of materials of the program, CycloneDX 1.6 (ECMA-424) as JSON, to the file that is named. The same packages make the
// same bytes: the serial number is their hash, and the time is SOURCE_DATE_EPOCH, where it is set.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { programPackages } from './packages.mjs';

const [, , target = 'dist/sbom.cdx.json'] = process.argv;
const { name, version, description, license } = JSON.parse(readFileSync('package.json', 'utf8'));
const packages = programPackages('.');

/** @param {string} packageName @param {string} packageVersion as https://github.com/package-url/purl-spec has it */
const purl = (packageName, packageVersion) => `pkg:npm/${packageName.replace(/^@/, '%40')}@${packageVersion}`;
/** Two copies of one version are two components. @param {{ path: string }} each */
const refOf = ({ path }) => path;
/** @param {string | undefined} expression */
const licensesOf = (expression) =>
  expression === undefined ? [] : /[ (]/.test(expression) ? [{ expression }] : [{ license: { id: expression } }];

const components = packages.map((each) => ({
  type: 'library',
  'bom-ref': refOf(each),
  name: each.name,
  version: each.version,
  scope: each.isOptional ? 'optional' : 'required',
  hashes: [{ alg: 'SHA-512', content: Buffer.from(each.integrity.replace('sha512-', ''), 'base64').toString('hex') }],
  licenses: licensesOf(each.license),
  purl: purl(each.name, each.version),
}));
const root = purl(name, version);
const known = new Set(packages.map(refOf));
const { dependencies, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const direct = Object.keys({ ...dependencies, ...optionalDependencies }).map((each) => `node_modules/${each}`);
const digest = createHash('sha256')
  .update(JSON.stringify([root, components]))
  .digest('hex');
const seconds = process.env.SOURCE_DATE_EPOCH;
const bom = {
  $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  // RFC 9562, version 8: made of a hash
  serialNumber: `urn:uuid:${digest.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-8$3-8$4-$5')}`,
  version: 1,
  metadata: {
    timestamp: (seconds === undefined ? new Date() : new Date(Number(seconds) * 1000)).toISOString(),
    lifecycles: [{ phase: 'build' }],
    component: {
      type: 'application',
      'bom-ref': root,
      name,
      version,
      description,
      licenses: licensesOf(license),
      purl: root,
    },
  },
  components,
  dependencies: [
    { ref: root, dependsOn: direct.filter((ref) => known.has(ref)).sort() },
    ...packages.map((each) => ({
      ref: refOf(each),
      dependsOn: [...new Set(each.dependsOn.filter((ref) => known.has(ref)))].sort(),
    })),
  ],
};
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, `${JSON.stringify(bom, null, 2)}\n`);
process.stdout.write(`${components.length} packages in ${target}\n`);
