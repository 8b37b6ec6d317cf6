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

/** What the primary of WEB_CONCURRENCY tells each process that it starts. */
export interface Part {
  /** From 0. */
  readonly number: number;
  /** Nobody is there yet: it takes the port before it can serve, to say so. */
  readonly isFirst: boolean;
}

const PART = 'FORECOURT_PROCESS';

/** The variables that tell a process its part. */
export const variablesOf = (part: Part): Record<string, string> => ({ [PART]: JSON.stringify(part) });

/** The part of this process, which the primary has started. */
export function ownPart(): Part {
  const told = process.env[PART];
  if (told === undefined) throw new Error('nobody has told this process its part');
  return JSON.parse(told) as Part;
}
