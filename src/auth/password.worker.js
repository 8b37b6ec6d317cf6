import bcrypt from 'bcryptjs';

/**
 * Runs in a worker thread: bcrypt takes a quarter of a second of pure computing, which would stop every other request.
 * Plain JavaScript because a thread loads its file itself, from src in tests and from dist in production.
 *
 * @param {{ password: string, rounds: number } | { password: string, hash: string }} task
 * @returns {string | boolean} the hash, or whether the password is that of the hash
 */
export default function work(task) {
  return 'hash' in task ? bcrypt.compareSync(task.password, task.hash) : bcrypt.hashSync(task.password, task.rounds);
}
