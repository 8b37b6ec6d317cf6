import { FileNotStored, FileStorageFull } from './files.errors.js';

/** Gives a failure of the disk its refusal: no room is the operator's to solve and may pass, anything else is a defect. */
export async function storing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // the last is what a process meets that may not write larger files
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') throw new FileStorageFull({ cause: error });
    throw new FileNotStored({ cause: error });
  }
}
