import pg from 'pg';

const WITHIN_MS = 5_000;

/** A connection to look around by. Rejects when PostgreSQL does not let it in, or does not answer. */
export async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'forecourt-doctor',
    connectionTimeoutMillis: WITHIN_MS,
    query_timeout: WITHIN_MS,
  });
  // whoever asks next hears of it
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
