import bcrypt from 'bcryptjs';

/**
 * Runs in a worker thread: bcrypt takes a quarter of a second of pure computing, which would stop every other request.
 * Plain JavaScript because a thread loads its file itself, from src in tests and from dist in production.
 *
 * A hash of a lower cost than today's is compared with further ones until as much was done as for one of today's (2^n is
 * 2^k + 2^k + 2^(k+1) + … + 2^(n-1)): else its owner would be known by the time that it takes.
 *
 * @param {{ password: string, rounds: number } | { passwords: string[], hash?: string, rounds: number }} task a comparison
 *   without a hash takes as long as with one of today's
 * @returns {string | boolean} the hash, or whether one of the passwords is that of the hash
 */
export default function work(task) {
  if ('password' in task) return bcrypt.hashSync(task.password, task.rounds);
  const { passwords, rounds, hash = nobody(rounds) } = task;
  let same = false;
  for (const password of passwords) {
    if (bcrypt.compareSync(password, hash)) same = true;
    for (let cost = bcrypt.getRounds(hash); cost < rounds; cost += 1) bcrypt.compareSync(password, nobody(cost));
  }
  return same;
}

/** A hash that no password has. @param {number} rounds */
function nobody(rounds) {
  return `$2b$${String(rounds).padStart(2, '0')}$abcdefghijklmnopqrstuu${'.'.repeat(31)}`;
}
