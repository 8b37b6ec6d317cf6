import type { INestApplicationContext } from '@nestjs/common';
import { parseArgs } from 'node:util';
import type { Config } from '../config/config.js';

/** What can be said behind a command: `--name` or `--name value`. */
export interface CommandOption {
  readonly type: 'boolean' | 'string';
  /** What stands for the value in the help, such as `MINUTES`. */
  readonly value?: string;
  readonly doc: string;
  /** Whether its value names somebody: it then stands in no record. */
  readonly isPersonal?: boolean;
}

/** Options that were given, by name. */
export type CommandOptions = Readonly<Record<string, string | boolean | undefined>>;

interface CommandFace {
  /** Such as `files:sweep`. */
  readonly name: string;
  readonly doc: string;
  readonly options: Readonly<Record<string, CommandOption>>;
}

/** Something that an operator can have done from the command line, beside the running service. */
export interface Command extends CommandFace {
  /** Whether it changes anything, and so is on record; a dry run is not. */
  readonly changes: boolean;
  /** Whether it fills an empty instance: then nothing is begun or recorded before it, and it records itself. */
  readonly fillsInstance?: boolean;
  /** Does it with the settings alone, and on no record, where these options need no more; undefined otherwise. */
  runWithoutDatabase?(
    options: CommandOptions,
    config: Config,
    say: (line: string) => void,
  ): Promise<boolean> | undefined;
  /**
   * `say` prints a line. Resolves to whether all is well; what is thrown is told as well and ends with the same exit code 1.
   * Throws {@link UsageError} for values of options that make no sense.
   */
  run(app: INestApplicationContext, options: CommandOptions, say: (line: string) => void): Promise<boolean>;
}

/** A command for which nothing of the program is started: it works where settings are wrong and the database is away. */
export interface LoneCommand extends CommandFace {
  /** As {@link Command.run}. */
  runAlone(options: CommandOptions, say: (line: string) => void): boolean | Promise<boolean>;
}

/** What was typed cannot be understood. */
export class UsageError extends Error {}

/** Throws {@link UsageError} for options that the command does not have. */
export function readOptions({ options }: CommandFace, given: readonly string[]): CommandOptions {
  const types = Object.entries(options).map(([name, { type }]) => [name, { type }] as const);
  try {
    return parseArgs({ args: [...given], options: Object.fromEntries(types), strict: true }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'the options cannot be read', { cause: error });
  }
}

/** What a record says of the options that were given: no names of people. */
export function recordedOptions({ options }: CommandFace, given: CommandOptions): CommandOptions {
  return Object.fromEntries(Object.entries(given).filter(([name]) => options[name]?.isPersonal !== true));
}

/** One command's lines of the help. */
export function helpOf({ name, doc, options }: CommandFace): string {
  const lines = Object.entries(options).map(([option, { value, doc: text }]) => {
    const written = `--${option}${value === undefined ? '' : ` ${value}`}`;
    return `      ${written.padEnd(24)} ${text}`;
  });
  return [`  ${name}`, `      ${doc}`, ...lines].join('\n');
}
