import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BufferContent } from '../../test/support/content.js';
import { CORPUS } from '../../test/support/corpus.js';
import { documentPart, externalPart, packagePart, typesPart, zipOf } from '../../test/support/corpus-makers.js';
import { cpuMs } from '../../test/support/cpu-time.js';
import { mutationOf, SeededRandom } from '../../test/support/mutations.js';
import { type FileType, RESUME_TYPES } from './file-types.js';
import { Finding } from './finding.js';
import type { Inspection } from './inspection.js';

/** Another one with FUZZ_SEED; the same finds the same. */
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_121);
const MUTATIONS = 2000;
const MOST_MS = 1000;
const MOST_GROWTH_BYTES = 4 * 1024 * 1024;
/** Larger ones are slow to change, and no different inside. */
const MOST_DOCUMENT_BYTES = 100_000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Of what can be reached: heap and buffers. */
async function memoryBytes(): Promise<number> {
  // streams let go of their native memory a little after they are gone
  for (let times = 0; times < 3; times += 1) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What the corpus declares as being of the type, whatever it is. */
const documentsFor = ({ mediaType }: FileType): Buffer[] =>
  CORPUS.filter((each) => each.declaredType === mediaType)
    .map(({ bytes }) => bytes())
    .filter(({ length }) => length > 0 && length <= MOST_DOCUMENT_BYTES);

/** A whole archive of parts that are not: what is inside of one is hardly ever reached otherwise, as checksums stand before it. */
function docxOfMutations(random: SeededRandom): Buffer {
  const parts = [typesPart(), packagePart, documentPart(), externalPart(random.pick(['frame', 'hyperlink']))];
  const contents = parts.map(({ content = '' }) => Buffer.from(content));
  const changed = random.below(parts.length);
  return zipOf(
    parts.map((part, index) =>
      index === changed ? { ...part, content: mutationOf([contents[index]!], random) } : part,
    ),
  );
}

/** As an upload does it: with a watcher, if the type has one, to which the bytes come in chunks of any size. */
function inspectAsItComes(type: FileType, bytes: Buffer, random: SeededRandom): Promise<Inspection> {
  const watcher = type.watch?.();
  for (let at = 0; at < bytes.length && watcher !== undefined;) {
    const length = 1 + random.below(random.pick([16, 1024, 65_536]));
    watcher.write(Buffer.from(bytes.subarray(at, at + length)));
    at += length;
  }
  return type.inspect(new BufferContent(bytes), watcher);
}

const sorted = (inspection: Inspection): unknown =>
  inspection.isOfType ? { ...inspection, findings: [...inspection.findings].sort() } : inspection;

function expectVerdict(inspection: Inspection): void {
  if (!inspection.isOfType) {
    expect(inspection.found).toMatch(/^\S.*\S$/);
    return;
  }
  const { findings } = inspection;
  expect(findings.filter((each) => !Object.values(Finding).includes(each))).toEqual([]);
  expect(new Set(findings).size).toBe(findings.length);
}

describe(`an inspection, with the seed ${SEED}`, () => {
  it.each(RESUME_TYPES)(
    `gives a verdict on each of ${MUTATIONS} mutations of a $name within a second, whatever the chunks are, and keeps no memory`,
    async (type) => {
      const documents = documentsFor(type);
      const random = new SeededRandom(SEED);
      const verdicts = new Map<boolean, number>();
      let before = Infinity;
      for (let number = 0; number < MUTATIONS; number += 1) {
        // what is compiled and kept for good has been by then
        if (number === MUTATIONS / 4) before = await memoryBytes();
        const isInside = type.name === 'DOCX' && number % 2 === 0;
        const bytes = isInside ? docxOfMutations(random) : mutationOf(documents, random);
        try {
          const start = cpuMs();
          const verdict = await inspectAsItComes(type, bytes, random);
          expect(cpuMs() - start).toBeLessThan(MOST_MS);
          expectVerdict(verdict);
          if (type.watch !== undefined)
            expect(sorted(await type.inspect(new BufferContent(bytes)))).toEqual(sorted(verdict));
          verdicts.set(verdict.isOfType, (verdicts.get(verdict.isOfType) ?? 0) + 1);
        } catch (error) {
          throw new Error(`seed ${SEED}, mutation ${number} of a ${type.name}: ${String(error)}`, { cause: error });
        }
      }
      expect((await memoryBytes()) - before).toBeLessThan(MOST_GROWTH_BYTES);
      // mutations that all look alike would prove nothing
      expect(Math.min(verdicts.get(true) ?? 0, verdicts.get(false) ?? 0)).toBeGreaterThan(MUTATIONS / 20);
    },
    300_000,
  );
});
