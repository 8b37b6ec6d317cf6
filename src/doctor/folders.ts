import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** The folder itself, or the one that it would be made in. */
export async function nearestFolder(path: string): Promise<string> {
  const stats = await stat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (stats?.isDirectory() === true) return path;
  if (stats !== undefined) throw new Error(`${path} is no folder`);
  return nearestFolder(dirname(path));
}
