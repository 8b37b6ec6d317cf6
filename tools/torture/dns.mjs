// The resolver is away, and every connection is cut, so that PostgreSQL and the object store have to be found anew by their names.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { settingsOf, startStore } from '../object-store.mjs';
import { Network } from './network.mjs';
import { Outage } from './outage.mjs';

const PRELOAD = new URL('dns-preload.mjs', import.meta.url).href;

const outage = new Outage();
const broken = join(outage.dataDir, 'dns-is-broken');
const { startEmbeddedPostgres } = /** @type {typeof import('../../src/database/embedded-postgres.js')} */ (
  await import(new URL('../../dist/src/database/embedded-postgres.js', import.meta.url).href)
);
const { url } = await startEmbeddedPostgres(outage.dataDir, pino({ level: 'silent' }));
const store = await startStore(join(outage.dataDir, 'bucket'), 'forecourt');
const address = new URL(url);
const [toDatabase, toStore] = [new Network(Number(address.port)), new Network(store.port)];
address.host = `localhost:${await toDatabase.listen()}`;
await outage.run(
  {
    name: 'no name can be resolved, and all connections are cut',
    async begin() {
      writeFileSync(broken, '');
      toDatabase.cut();
      toStore.cut();
    },
    end: async () => rmSync(broken, { force: true }),
  },
  {
    STORAGE_DRIVER: 's3',
    S3_BUCKET: 'forecourt',
    ...settingsOf(`http://localhost:${await toStore.listen()}`),
    DATABASE_URL: address.toString(),
    NODE_OPTIONS: `--import ${PRELOAD}`,
    TORTURE_DNS_BROKEN: broken,
  },
);
toDatabase.close();
toStore.close();
await store.close();
process.exit();
