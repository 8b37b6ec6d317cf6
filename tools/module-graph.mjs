// Prints who imports whom among the modules of src/, as Mermaid, from the real imports. The bottom of the house (common,
// config, database), which everybody knows, is left out.
import { cruise } from 'dependency-cruiser';

const BOTTOM = new Set(['common', 'config', 'database']);

/** @param {string} path @returns {string | undefined} the module that a file belongs to */
function moduleOf(path) {
  const name = /^src\/([^/]+)\//.exec(path)?.[1];
  return name === undefined || BOTTOM.has(name) ? undefined : name;
}

const { output } = await cruise(['src'], {
  doNotFollow: { path: 'node_modules' },
  exclude: { path: '\\.spec\\.ts$' },
  tsPreCompilationDeps: true,
});
/** @type {Set<string>} */
const edges = new Set();
if (typeof output !== 'string') {
  for (const { source, dependencies } of output.modules) {
    for (const { resolved } of dependencies) {
      const [from, to] = [moduleOf(source), moduleOf(resolved)];
      // any controller may name the access decorators; that is no dependency on how signing in works
      if (/auth\/(auth\.decorators|permissions)\.ts$/.test(resolved) && from !== 'auth') continue;
      if (from !== undefined && to !== undefined && from !== to) edges.add(`  ${from} --> ${to}`);
    }
  }
}
process.stdout.write(`\`\`\`mermaid\ngraph TD\n${[...edges].sort().join('\n')}\n\`\`\`\n`);
