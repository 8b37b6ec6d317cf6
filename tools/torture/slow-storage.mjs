// The object store is reached through a network that becomes slow.
import { join } from 'node:path';
import { settingsOf, startStore } from '../object-store.mjs';
import { Network } from './network.mjs';
import { Outage } from './outage.mjs';

/** A store that says nothing for half a minute is away; until then it is slow, and so is the answer. */
const REFUSED_WITHIN_MS = 60_000;

const outage = new Outage();
const store = await startStore(join(outage.dataDir, 'bucket'), 'forecourt');
const network = new Network(store.port);
await outage.run(
  {
    name: 'storage slowed (S3 at 250 KB/s, each piece late by 250 ms)',
    isReady: 'either',
    refusedWithinMs: REFUSED_WITHIN_MS,
    begin: async () => (network.isSlow = true),
    end: async () => (network.isSlow = false),
  },
  {
    STORAGE_DRIVER: 's3',
    S3_BUCKET: 'forecourt',
    ...settingsOf(`http://127.0.0.1:${await network.listen()}`),
  },
);
network.close();
await store.close();
process.exit();
