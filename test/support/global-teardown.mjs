import { rm } from 'node:fs/promises';

export default async function teardown() {
  const server = /** @type {any} */ (globalThis).forecourtTestServer;
  if (server === undefined) return;
  await server.postgres.stop();
  await rm(server.folder, { recursive: true, force: true });
}
