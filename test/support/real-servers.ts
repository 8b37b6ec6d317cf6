/**
 * The suite of a server that is not everywhere: skipped, loudly, where it cannot be had, unless
 * FORECOURT_REQUIRE_REAL_SERVERS=1 says that this machine must have it.
 */
export function describeWith(server: unknown, name: string, why: string): jest.Describe {
  if (server !== undefined) return describe;
  const message = `${name} cannot be had here: ${why}`;
  if (process.env['FORECOURT_REQUIRE_REAL_SERVERS'] === '1') throw new Error(message);
  process.stderr.write(`\nSKIPPED: ${message}\n\n`);
  return describe.skip;
}
