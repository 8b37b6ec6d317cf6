/** Milliseconds that this process has computed so far: unlike time, it is the same on a machine that is busy otherwise. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
