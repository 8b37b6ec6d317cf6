import { type Command, UsageError } from '../common/command.js';
import type { ChainLink } from './audit-chain.repository.js';
import { AuditCheck } from './audit-check.js';

function expectedOf(given: string | boolean | undefined): ChainLink | undefined {
  if (given === undefined) return undefined;
  const [, number, hash] = /^([1-9]\d{0,17}):([0-9a-f]{64})$/i.exec(String(given)) ?? [];
  if (number === undefined || hash === undefined)
    throw new UsageError('--expect must be the number and hash of an entry, such as this command prints: 42:0f…');
  return { number: BigInt(number), hash: hash.toLowerCase() };
}

/** The record in the hands of an operator. */
export const AUDIT_COMMANDS: readonly Command[] = [
  {
    name: 'audit:verify',
    changes: false,
    doc: 'Finds the first audit entry that was changed, removed, put in or moved. Prints the last number and hash: note them elsewhere.',
    options: {
      expect: {
        type: 'string',
        value: 'NUMBER:HASH',
        doc: 'as noted earlier: finds a chain cut at its end or made anew',
      },
    },
    async run(app, options, say) {
      const { last, defect, unlinked } = await app.get(AuditCheck).run(expectedOf(options['expect']));
      if (unlinked > 0) say(`${unlinked} entries have no place in the chain yet`);
      say(last === null ? 'No entry is verified' : `Verified up to ${last.number}:${last.hash}`);
      if (defect !== undefined) say(`Not as it was: ${defect}`);
      return defect === undefined;
    },
  },
];
