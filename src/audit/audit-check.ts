import { Injectable } from '@nestjs/common';
import { AuditChainRepository, type ChainLink, type LinkedEntry } from './audit-chain.repository.js';
import { hashOf, NO_HASH } from './audit-hash.js';

const MOST_AT_ONCE = 1000;

export interface AuditFinding {
  /** The last entry that is what it was, or null when there is none. */
  readonly last: ChainLink | null;
  /** What is wrong with the one after it; undefined when all is well. */
  readonly defect: string | undefined;
  /** Entries that have no place in the chain yet. */
  readonly unlinked: number;
}

/** Finds out whether the record is what it was: walks the chain from its beginning, a thousand entries at a time. */
@Injectable()
export class AuditCheck {
  constructor(private readonly entries: AuditChainRepository) {}

  /** With what somebody noted earlier of an entry, a chain that was cut, or made anew as a whole, is found as well. */
  async run(expected?: ChainLink): Promise<AuditFinding> {
    let last: ChainLink | null = null;
    const unlinked = await this.entries.countUnlinked();
    for (;;) {
      const batch: LinkedEntry[] = await this.entries.listAfter(last?.number ?? 0n, MOST_AT_ONCE);
      for (const entry of batch) {
        const defect = defectOf(entry, last, expected);
        if (defect !== undefined) return { last, defect, unlinked };
        last = { number: entry.number, hash: entry.hash };
      }
      if (batch.length < MOST_AT_ONCE) break;
    }
    const defect =
      expected !== undefined && (last?.number ?? 0n) < expected.number
        ? `the chain ends with entry ${last?.number ?? 0n}, before entry ${expected.number} that was expected`
        : undefined;
    return { last, defect, unlinked };
  }
}

function defectOf(entry: LinkedEntry, last: ChainLink | null, expected: ChainLink | undefined): string | undefined {
  const { number } = entry;
  const next = (last?.number ?? 0n) + 1n;
  if (number !== next) {
    const missing = number === next + 1n ? `entry ${next} is` : `entries ${next} to ${number - 1n} are`;
    return `${missing} missing`;
  }
  if (entry.previousHash !== (last?.hash ?? NO_HASH))
    return `entry ${number} (${entry.id}) does not follow the one before it`;
  if (entry.hash !== hashOf(number, entry.previousHash, entry))
    return `entry ${number} (${entry.id}) is not what it was when it was linked`;
  if (number === expected?.number && entry.hash !== expected.hash)
    return `entry ${number} (${entry.id}) is not the one that was expected`;
  return undefined;
}
