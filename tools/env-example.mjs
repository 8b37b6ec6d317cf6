// Prints `.env.example`, or with --markdown the settings tables of the README, from the catalogue of the built program.

/** @typedef {[name: string, setting: import('../src/config/setting.js').Setting]} Entry */

// compiled by `npm run build`, and so unknown to whoever checks types before
const catalogue = new URL('../dist/src/config/settings.js', import.meta.url).href;
/** @type {typeof import('../src/config/settings.js')} */
const { FAMILIES, SETTINGS, SECRET_SETTINGS } = await import(catalogue);

/** @type {Map<string, Entry[]>} */
const groups = new Map();
for (const [name, setting] of Object.entries(SETTINGS)) {
  groups.set(setting.group, [...(groups.get(setting.group) ?? []), [name, setting]]);
}

/** The settings of each member of a family, behind the group of the setting that lists the members. */
const members = FAMILIES.map(({ prefix, listedIn, settings }) => ({
  prefix: `${prefix}<ID>_`,
  listedIn,
  group: Object.values(settings)[0]?.group,
  settings,
}));

const HEADER = `# The settings of Forecourt. Copy this file to .env and fill in what your office needs.
# A line with a # before its name shows the default. An empty value means that the setting is unset.
# Variables of the process win over the file. Put a value that holds a $ or a # in 'single quotes'.
#
# Made from src/config/settings.ts by: npm run env:example
`;

/** @type {typeof import('../src/config/compose-variables.js')} */
const { COMPOSE_VARIABLES } = await import(new URL('../dist/src/config/compose-variables.js', import.meta.url).href);

const COMPOSE = [
  '\n## Docker Compose (read by compose.yaml, not by Forecourt)\n',
  ...Object.entries(COMPOSE_VARIABLES).map(([name, { doc, value }]) => `\n# ${doc}\n${name}=${value}\n`),
].join('');

/** @returns {string} */
function envExample() {
  const sections = [...groups].map(([group, entries]) => {
    const lines = entries.map(([name, { doc, shown }]) => `# ${doc}\n${shown === '' ? '' : '#'}${name}=${shown}\n`);
    const families = members
      .filter((family) => family.group === group)
      .map(({ listedIn, settings, prefix }) => {
        const each = Object.entries(settings).map(
          ([part, { doc, shown }]) => `#\n# ${prefix}${part}=${shown}\n#   ${doc}\n`,
        );
        return `\n# For each id in ${listedIn}, in capitals in place of <ID>:\n${each.join('')}`;
      });
    return `\n## ${group}\n\n${lines.join('\n')}${families.join('')}`;
  });
  return HEADER + sections.join('') + COMPOSE;
}

/** @returns {string} one table a group, laid out as Prettier would */
function markdown() {
  return [...groups]
    .map(([group, entries]) => {
      const families = members.filter((family) => family.group === group);
      const all = families.flatMap(({ prefix, settings }) =>
        Object.entries(settings).map(/** @returns {Entry} */ ([part, each]) => [`${prefix}${part}`, each]),
      );
      return `### ${group}\n\n${table([...entries, ...all])}`;
    })
    .join('\n');
}

/** @param {Entry[]} entries @returns {string} */
function table(entries) {
  const rows = entries.map(([name, { doc, shown, secret }]) => [
    `\`${name}\``,
    shown === '' ? '' : `\`${shown}\``,
    escape(doc) + (secret || SECRET_SETTINGS.some((each) => each === name) ? ' (secret)' : ''),
  ]);
  const columns = ['Setting', 'Default', 'Meaning'].map((title, index) => {
    const cells = [title, ...rows.map((row) => row[index] ?? '')];
    const width = Math.max(...cells.map((cell) => cell.length));
    cells.splice(1, 0, '-'.repeat(width));
    return cells.map((cell) => cell.padEnd(width));
  });
  const lines = columns[0]?.map((_, index) => `| ${columns.map((column) => column[index]).join(' | ')} |\n`) ?? [];
  return lines.join('');
}

/** @param {string} text @returns {string} the same words where Markdown would read <, | and * as its own */
function escape(text) {
  return text.replace(/[\\<|*]/g, '\\$&');
}

process.stdout.write(process.argv.includes('--markdown') ? markdown() : envExample());
