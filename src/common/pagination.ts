import { ApiProperty } from '@nestjs/swagger';
import { WholeNumberField } from './fields.js';

/** Which page a caller wants. */
export class PageQuery {
  @WholeNumberField({ min: 1, max: 10_000_000, optional: true, default: 1, description: 'Page number, from 1' })
  page: number = 1;

  @WholeNumberField({ min: 1, max: 100, optional: true, default: 50, description: 'Items per page' })
  size: number = 50;
}

/** One page of rows and the number of all rows. */
export interface Rows<Row> {
  readonly rows: readonly Row[];
  readonly total: number;
}

/** The part of a list's answer that is the same for every list. */
export class PageResponse {
  @ApiProperty({ type: 'integer', example: 150, description: 'Number of all items that match' })
  total!: number;

  @ApiProperty({ type: 'integer', example: 1 })
  page!: number;

  @ApiProperty({ type: 'integer', example: 50 })
  size!: number;

  @ApiProperty({ type: 'integer', example: 3, description: 'Number of pages of this size' })
  pages!: number;
}

export function toPage<Row, Item>(
  found: Rows<Row>,
  query: PageQuery,
  toItem: (row: Row) => Item,
): PageResponse & { items: Item[] } {
  const { page, size } = query;
  return { items: found.rows.map(toItem), total: found.total, page, size, pages: Math.ceil(found.total / size) };
}
