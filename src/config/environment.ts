import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

/**
 * The process's variables over those of the `.env` file in the working directory. The only reader of `process.env`.
 * A variable of the process wins, so that a container's settings are never overruled by a forgotten file.
 */
export function readEnvironment(file = '.env'): Record<string, string | undefined> {
  const fromFile = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
  return { ...fromFile, ...process.env };
}
