// Writes the commands of the built program as README.md shows them.
import { execFileSync } from 'node:child_process';

const help = execFileSync(process.execPath, ['dist/src/cli.js', 'help'], { encoding: 'utf8' });
process.stdout.write(`\`\`\`\n${help.trimEnd()}\n\`\`\`\n`);
