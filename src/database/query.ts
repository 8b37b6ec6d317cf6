import type { ClientBase } from 'pg';

/** Rows of one statement, wherever it runs. */
export type Query = <Row>(text: string, values?: readonly unknown[]) => Promise<Row[]>;

/** Statements on one connection. */
export const queryOf =
  (client: ClientBase): Query =>
  async <Row>(text: string, values: readonly unknown[] = []) =>
    (await client.query(text, [...values])).rows as Row[];
