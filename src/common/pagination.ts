import { ApiProperty } from '@nestjs/swagger';
import { CursorField, WholeNumberField } from './fields.js';

/** Which page a caller wants. */
export class PageQuery {
  @WholeNumberField({ min: 1, max: 10_000_000, optional: true, default: 1, description: 'Page number, from 1' })
  page: number = 1;

  @WholeNumberField({ min: 1, max: 100, optional: true, default: 50, description: 'Items per page' })
  size: number = 50;
}

/** Which page a caller wants of a list that can be walked by cursors as well. */
export class CursorPageQuery extends PageQuery {
  @CursorField({
    description: 'The `next_cursor` of the page before, instead of `page`; with the same order and filters',
  })
  cursor?: string;
}

/** One page of rows and the number of all rows. */
export interface Rows<Row> {
  readonly rows: readonly Row[];
  readonly total: number;
}

/** One page of a list that can be walked by cursors. */
export interface CursorRows<Row> extends Rows<Row> {
  /** The number of the page, counted from where the walk began. */
  readonly page: number;
  /** Null when no row follows. */
  readonly nextCursor: string | null;
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

export class CursorPageResponse extends PageResponse {
  @ApiProperty({
    type: String,
    nullable: true,
    example: 'AUHPN2kGq3V0q8sJmZ0hWQ6u0l1c9l5yqk0b7zQ2H0hT3mXy',
    description: 'What gets the next page as `cursor`, at the same cost however deep; null on the last page',
  })
  next_cursor!: string | null;
}

export function toPage<Row, Item>(
  found: Rows<Row>,
  query: PageQuery,
  toItem: (row: Row) => Item,
): PageResponse & { items: Item[] } {
  const { page, size } = query;
  return { items: found.rows.map(toItem), total: found.total, page, size, pages: Math.ceil(found.total / size) };
}

export function toCursorPage<Row, Item>(
  found: CursorRows<Row>,
  query: PageQuery,
  toItem: (row: Row) => Item,
): CursorPageResponse & { items: Item[] } {
  const { page, nextCursor } = found;
  return { ...toPage(found, { page, size: query.size }, toItem), next_cursor: nextCursor };
}
