/**
 * The content of an upload that waits in the spool, for looking at before it is kept: plain bytes, whether or not they are
 * encrypted on the disk.
 */
export interface Content {
  readonly sizeBytes: number;
  /** As many of the bytes from `position` on as there are, at most `length`. At most 1 MiB at a time. */
  read(position: number, length: number): Promise<Buffer>;
  /** All bytes in order, never more than 256 KiB at a time. */
  stream(): AsyncIterable<Buffer>;
}
