import type { EntityTarget } from 'typeorm';
import type { FollowedRows } from '../common/cursors.js';
import type { Rows } from '../common/pagination.js';
import type { Database } from './database.js';
import type { ListOrder, Place } from './list-order.js';
import { type Condition, pageStatement } from './page-statement.js';
import { rowsIn, type Tx } from './transactions.js';

export interface PageRequest {
  /** `column = value` conditions; undefined ones do not count. */
  readonly where?: Readonly<Record<string, unknown>>;
  /** Further conditions, each a constant of the repository with ? wherever its value stands; undefined values do not count. */
  readonly conditions?: readonly { readonly text: string; readonly value: unknown }[];
  /** A constant of the repository, never text of a caller. */
  readonly orderBy: string;
  readonly page: number;
  readonly size: number;
  /** The user who is to see what they have written; others, and everybody without replicas, are answered by the primary. */
  readonly reader?: string | undefined;
}

/** A page of a list that can also be walked from place to place. */
export interface WalkRequest {
  /** Those with undefined values do not count. */
  readonly conditions: readonly Condition[];
  /** What follows of the conditions, so that an index is of use. */
  readonly implied?: readonly string[];
  readonly order: ListOrder;
  readonly page: number;
  readonly size: number;
  /** Instead of `page`. */
  readonly after: Place | undefined;
  /** As in {@link PageRequest}. */
  readonly reader?: string | undefined;
}

interface Mapping {
  readonly table: string;
  readonly properties: readonly string[];
  readonly names: readonly string[];
  readonly selection: string;
  readonly insertText: string;
}

/**
 * What every repository of one table shares: find, page, insert, update, delete. The statements are made once from the
 * entity's metadata; rows become entities by assignment.
 */
export abstract class BaseRepository<Entity extends { id: string }> {
  private known: Mapping | undefined;

  protected constructor(
    protected readonly database: Database,
    private readonly entity: EntityTarget<Entity> & (new () => Entity),
  ) {}

  async findById(id: string): Promise<Entity | null> {
    return this.findOne('t.id = $1', [id]);
  }

  /** The row, locked until the transaction ends. */
  async lockById(tx: Tx, id: string): Promise<Entity | null> {
    return this.findOneIn(tx, 't.id = $1 FOR UPDATE', [id]);
  }

  /** `condition`: a constant of the repository with $1, $2 … for the values; the table is `t`. */
  protected async findOne(condition: string, values: readonly unknown[]): Promise<Entity | null> {
    return (await this.list(condition, values))[0] ?? null;
  }

  /** All that match; the condition may end in an order. */
  protected async list(condition: string, values: readonly unknown[]): Promise<Entity[]> {
    const rows = await this.database.read<object>(this.selecting(condition), values);
    return rows.map((row) => this.toEntity(row));
  }

  /** As the transaction sees it; the condition may end in a lock. */
  protected async findOneIn(tx: Tx, condition: string, values: readonly unknown[]): Promise<Entity | null> {
    return (await this.listIn(tx, condition, values))[0] ?? null;
  }

  protected async listIn(tx: Tx, condition: string, values: readonly unknown[]): Promise<Entity[]> {
    const rows = await rowsIn(tx, this.selecting(condition), values);
    return rows.map((row) => this.toEntity(row));
  }

  async remove(tx: Tx, id: string): Promise<void> {
    await rowsIn(tx, `DELETE FROM ${this.mapping.table} WHERE id = $1`, [id]);
  }

  protected selecting(condition: string): string {
    const { table, selection } = this.mapping;
    return `SELECT ${selection} FROM ${table} AS t WHERE ${condition}`;
  }

  async insert(tx: Tx, entity: Entity): Promise<void> {
    const { text, values } = this.insertion(entity);
    await rowsIn(tx, text, values);
  }

  protected insertion(entity: Entity): { readonly text: string; readonly values: unknown[] } {
    const { insertText: text, properties } = this.mapping;
    return { text, values: properties.map((property) => (entity as Record<string, unknown>)[property] ?? null) };
  }

  /** Writes the named properties of the entity. */
  async update(tx: Tx, entity: Entity, changed: readonly (keyof Entity & string)[]): Promise<void> {
    const { table, names, properties } = this.mapping;
    const sets = changed.map((property, index) => `${names[properties.indexOf(property)]} = $${index + 2}`);
    const values = changed.map((property) => entity[property]);
    await rowsIn(tx, `UPDATE ${table} SET ${sets.join(', ')} WHERE id = $1`, [entity.id, ...values]);
  }

  /** One page and the number of all rows that match, from one snapshot. */
  protected async findPage(request: PageRequest): Promise<Rows<Entity>> {
    const { table, selection } = this.mapping;
    const equalities = Object.entries(request.where ?? {}).map(([column, value]) => ({ text: `${column} = ?`, value }));
    const conditions = [...equalities, ...(request.conditions ?? [])].filter(({ value }) => value !== undefined);
    const where =
      conditions.length === 0
        ? ''
        : `WHERE ${conditions.map(({ text }, index) => text.replaceAll('?', () => `$${index + 3}`)).join(' AND ')}`;
    const rows = await this.database.readFor<{ page_total: string; id: string | null }>(
      request.reader,
      `SELECT counted.page_total, paged.* FROM (SELECT (SELECT count(*) FROM ${table} AS t ${where})::text AS page_total) AS counted
       LEFT JOIN LATERAL (SELECT ${selection} FROM ${table} AS t ${where} ORDER BY ${request.orderBy} LIMIT $1 OFFSET $2) AS paged ON true`,
      [request.size, (request.page - 1) * request.size, ...conditions.map(({ value }) => value)],
    );
    return {
      rows: rows.filter(({ id }) => id !== null).map((row) => this.toEntity(row)),
      total: Number(rows[0]?.page_total ?? 0),
    };
  }

  /**
   * As {@link findPage}, with the place of the last row when others follow. `totalOf` names where the number of rows is kept, if
   * it is; it has the columns of the conditions.
   */
  protected async findWalkPage(
    { conditions, page, size, after, reader, ...listed }: WalkRequest,
    totalOf?: { readonly table: string; readonly column: string },
  ): Promise<FollowedRows<Entity>> {
    const { table, selection } = this.mapping;
    const { text, values } = pageStatement(
      {
        table,
        selection,
        conditions: conditions.filter(({ value }) => value !== undefined),
        ...listed,
        total:
          totalOf === undefined
            ? `count(*) FROM ${table} AS t`
            : `coalesce(sum(${totalOf.column}), 0) FROM ${totalOf.table}`,
      },
      size,
      after === undefined ? { offset: (page - 1) * size } : { after },
    );
    // what follows a page may not be on a replica yet, and who walks on would never know
    const found = await this.database.readFor<{ page_total: string; page_place: string | null; id: string | null }>(
      after === undefined ? reader : undefined,
      text,
      values,
    );
    const rows = found.filter(({ id }) => id !== null);
    const last = rows.length > size ? rows[size - 1] : undefined;
    return {
      rows: rows.slice(0, size).map((row) => this.toEntity(row)),
      total: Number(found[0]?.page_total ?? 0),
      end: last === undefined ? null : { value: last.page_place, id: last.id ?? '' },
    };
  }

  protected toEntity(row: object): Entity {
    const entity = new this.entity() as Record<string, unknown>;
    for (const property of this.mapping.properties) entity[property] = (row as Record<string, unknown>)[property];
    return entity as Entity;
  }

  /** The select list that names each column as its property; the table's alias is `t`. */
  protected get mapping(): Mapping {
    if (this.known === undefined) {
      const { tableName, columns } = this.database.source.getMetadata(this.entity);
      const names = columns.map(({ databaseName }) => databaseName);
      const places = names.map((_, index) => `$${index + 1}`);
      this.known = {
        table: tableName,
        properties: columns.map(({ propertyName }) => propertyName),
        names,
        insertText: `INSERT INTO ${tableName} (${names.join(', ')}) VALUES (${places.join(', ')})`,
        selection: columns.map(({ databaseName, propertyName }) => `t.${databaseName} AS "${propertyName}"`).join(', '),
      };
    }
    return this.known;
  }
}
