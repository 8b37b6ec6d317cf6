// The object store is reached through a network that becomes slow.
import { join } from 'node:path';
import { Network } from './network.mjs';
import { settingsOf, startStore } from './object-store.mjs';
import { Outage } from './outage.mjs';

/** A store that says nothing for half a minute is away; until then it is slow, and so is the answer. */
const REFUSED_WITHIN_MS = 60_000;

const outage = new Outage();
const store = await startStore(join(outage.dataDir, 'bucket'));
const network = new Network(store.port);
await outage.run(
  {
    name: 'storage slowed (S3 at 250 KB/s, each piece late by 250 ms)',
    isReady: 'either',
    refusedWithinMs: REFUSED_WITHIN_MS,
    begin: async () => (network.isSlow = true),
    end: async () => (network.isSlow = false),
  },
  settingsOf(`http://127.0.0.1:${await network.listen()}`),
);
network.close();
await store.close();
process.exit();
