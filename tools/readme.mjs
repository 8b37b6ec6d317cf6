// Writes the generated parts of README.md: settings, commands, modules, who may call what,
// packages. With --check it only compares, and
// fails when README.md is out of date.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

/** @type {Record<string, string[]>} */
const PARTS = {
  settings: ['tools/env-example.mjs', '--markdown'],
  commands: ['tools/commands.mjs'],
  schedule: ['tools/schedule.mjs'],
  modules: ['tools/module-graph.mjs'],
  access: ['tools/access-table.mjs'],
  packages: ['tools/package-table.mjs'],
};

const before = readFileSync('README.md', 'utf8');
let after = before;
for (const [name, command] of Object.entries(PARTS)) {
  const made = execFileSync(process.execPath, command, { encoding: 'utf8' });
  const block = new RegExp(`(<!-- ${name}: made by npm run docs -->\n)[^]*?(<!-- /${name} -->)`);
  after = after.replace(block, (_, start, end) => `${start}\n${made}\n${end}`);
}
if (process.argv.includes('--check')) {
  if (after !== before) throw new Error('README.md is out of date: run npm run docs');
} else writeFileSync('README.md', after);
