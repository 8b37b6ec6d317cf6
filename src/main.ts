import cluster from 'node:cluster';
import { ConfigError, loadConfig } from './config/config.js';
import { readEnvironment } from './config/environment.js';

/** One process serves by itself. Several are started by one more, which serves nothing and so loads nothing of the application. */
async function main(): Promise<void> {
  const config = loadConfig(readEnvironment());
  if (config.processes > 1 && cluster.isPrimary) {
    const { runPrimary } = await import('./processes/primary.js');
    await runPrimary(config);
  } else {
    const { runAlone, runAsOneOfSeveral } = await import('./processes/one-process.js');
    await (cluster.isPrimary ? runAlone(config) : runAsOneOfSeveral(config));
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`);
  process.exit(1);
}
