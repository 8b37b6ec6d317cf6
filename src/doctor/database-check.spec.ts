import { loadConfig } from '../config/config.js';
import { findingsOf, type Server } from './database-check.js';

const WELL: Server = {
  version: '18.4',
  version_number: 180_004,
  encoding: 'UTF8',
  is_encrypted: true,
  is_read_only: false,
  free_connections: 97,
  knows_plpgsql: true,
};
const FAR = 'postgresql://forecourt:x@db.practice.example:5432/forecourt';
const config = { ...loadConfig({}), isProduction: true };
const troubles = (server: Partial<Server>, url = FAR): string[] =>
  findingsOf({ ...WELL, ...server }, url, config)
    .filter(({ state }) => state !== 'ok')
    .map(({ state, check, says }) => `${state} ${check}: ${says}`);

describe('what PostgreSQL says of itself', () => {
  it('may be all right', () => {
    expect(troubles({})).toEqual([]);
  });

  it.each<[string, Partial<Server>, string]>([
    [
      'a version from before 14',
      { version: '13.9', version_number: 130_009 },
      'failed database: PostgreSQL 13.9 is too old',
    ],
    ['a standby', { is_read_only: true }, 'failed database: it is a standby, which cannot be written'],
    [
      'an encoding without umlauts',
      { encoding: 'SQL_ASCII' },
      'failed database: its encoding is SQL_ASCII: names would be lost',
    ],
    ['no plpgsql', { knows_plpgsql: false }, 'failed extensions: plpgsql is missing'],
    [
      'too few connections',
      { free_connections: 59 },
      'warning connections: this process may open 60, PostgreSQL has 59',
    ],
    ['an open line', { is_encrypted: false }, 'warning database: the line to it is not encrypted'],
  ])('may be %s', (_, server, trouble) => {
    expect(troubles(server)).toEqual([trouble]);
  });

  it('counts the connections of all processes of WEB_CONCURRENCY', () => {
    const says = findingsOf({ ...WELL, free_connections: 119 }, FAR, { ...config, processes: 2 }).map(
      (each) => each.says,
    );

    expect(says).toContain('these 2 processes may open 120, PostgreSQL has 119');
  });

  it.each(['localhost', '127.0.0.1', '[::1]', 'db'])('needs no encryption at %s', (host) => {
    expect(troubles({ is_encrypted: false }, `postgresql://forecourt:x@${host}:5432/forecourt`)).toEqual([]);
  });
});
