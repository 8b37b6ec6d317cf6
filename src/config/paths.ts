import { sep } from 'node:path';

/** Whether a path is the folder, or lies in it; both are absolute. */
export function isWithinFolder(path: string, folder: string): boolean {
  return `${path}${sep}`.startsWith(`${folder}${sep}`);
}
