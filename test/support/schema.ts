import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { DataSource } from 'typeorm';
import { MIGRATIONS } from '../../migrations/index.js';

/** Brings the schema to where it was after the first so many migrations, with nothing of the application. */
export async function migrateTo(url: string, count = MIGRATIONS.length): Promise<void> {
  const migrations = MIGRATIONS.slice(0, count);
  const source = new DataSource({ type: 'postgres', url, migrations, migrationsTableName: 'migrations' });
  await source.initialize();
  await source.runMigrations({ transaction: 'each' });
  await source.destroy();
}

/** Puts in a lead with its file by SQL alone, and says its id; the file's key is the id as well. */
export async function insertLead(client: pg.Client, status = 'PENDING'): Promise<string> {
  const id = randomUUID();
  await client.query(
    `INSERT INTO files (id, storage_key, original_name, media_type, size_bytes, sha256)
     VALUES ($1::uuid, $1::text, 'cv.pdf', 'application/pdf', 1, repeat('0', 64))`,
    [id],
  );
  await client.query(
    `INSERT INTO leads (id, first_name, last_name, email, resume_path, status, reached_out_at)
     VALUES ($1::uuid, 'Ada', 'Lovelace', $1::text || '@example.com', $1::text, $2::lead_status,
       CASE $2 WHEN 'PENDING' THEN NULL ELSE now() END)`,
    [id, status],
  );
  return id;
}
