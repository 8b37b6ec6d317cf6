/** An archive that is kept for good. */
export interface KeptArchive {
  /** Its path, or its s3:// address. */
  readonly at: string;
  readonly bytes: number;
  /** Of the archive's file, as sha256sum says it. */
  readonly sha256: string;
}

/** Somewhere archives are put. */
export interface ArchivePlace {
  /** All pieces under this name, or nothing: half an archive never bears its name. */
  put(name: string, pieces: AsyncIterable<Buffer>): Promise<KeptArchive>;
}
