import { userInfo } from 'node:os';
import type { Actor } from './actor.js';

/** A record's column holds 60 characters. */
const LONGEST_NAME = 60;

/** Whoever runs a command, as a record names them: `user:create (ada)`, by the command and their account on the machine. */
export function operatorOf(command: string): Actor {
  return { kind: 'system', name: Array.from(`${command} (${accountName()})`).slice(0, LONGEST_NAME).join('') };
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // a container may run as a number that nobody has a name for
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
