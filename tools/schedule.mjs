// Writes the table of what runs by itself as README.md shows it.
const { SCHEDULED } = /** @type {typeof import('../src/jobs/scheduled.jobs.js')} */ (
  await import(new URL('../dist/src/jobs/scheduled.jobs.js', import.meta.url).href)
);

const rows = Object.values(SCHEDULED).map(
  ({ name, everyMinutes, doc }) => `| \`${name}\` | ${everyMinutes} | ${doc} |`,
);
process.stdout.write(`| job | minutes | what it does |\n| --- | --- | --- |\n${rows.join('\n')}\n`);
