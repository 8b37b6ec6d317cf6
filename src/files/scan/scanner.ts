/** What a scanner found. `engine` says which program with which signatures looked, as the scanner itself words it. */
export type ScanResult = { readonly engine: string } & (
  | { readonly state: 'clean' }
  /** `signature` is the scanner's name for what it recognised. */
  | { readonly state: 'infected'; readonly signature: string }
);

/** Looks for malware in files. Where the policy asks for no scanner, there is none. */
export abstract class Scanner {
  /**
   * Reads the content to its end, and closes it in any case: before it settles, or when the chunk that the content still
   * makes is there. "Clean" only when the scanner has seen all of it and says so.
   * Rejects with {@link FileScannerUnavailable} when there is no answer to rely on, and with the content's own error when
   * that cannot be read.
   */
  abstract scan(content: AsyncIterable<Buffer>): Promise<ScanResult>;

  /** Rejects with {@link FileScannerUnavailable} when the scanner does not answer. */
  abstract check(): Promise<void>;
}
