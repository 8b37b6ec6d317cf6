import { parse } from 'dotenv';
import { existsSync, readFileSync } from 'node:fs';

/**
 * The process's variables over those of the `.env` file in the working directory. The only reader of `process.env`.
 * A variable of the process wins, so that a container's settings are never overruled by a forgotten file. Read by dotenv,
 * because Node's own parser takes a comment behind a value for a part of it up to 20.19.
 */
export function readEnvironment(file = '.env'): Record<string, string | undefined> {
  const fromFile = existsSync(file) ? parse(readFileSync(file, 'utf8')) : {};
  return { ...fromFile, ...process.env };
}

/** Of all variables that the file sets; it must be there. */
export function namesInFile(file: string): string[] {
  return Object.keys(parse(readFileSync(file, 'utf8')));
}
