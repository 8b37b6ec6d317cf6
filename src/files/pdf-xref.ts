import type { BlockReader } from './block-reader.js';
import { readDictionary } from './pdf-syntax.js';

/** Each save of a document adds one. */
const MOST_SECTIONS = 256;
/** All subsections of all tables together; a document that was edited a hundred times has some thousands. */
const MOST_SUBSECTIONS = 20_000;
const MOST_DICTIONARY_BYTES = 64 * 1024;
/** All dictionaries together; they may lie in one another, so that a small file could have many large ones. */
const MOST_DICTIONARIES_BYTES = 512 * 1024;
const ENTRY_BYTES = 20;

export interface CrossReference {
  readonly isParsable: boolean;
  readonly isEncrypted: boolean;
}

/** What may still be looked at in one document. */
interface Budget {
  subsections: number;
  dictionaryBytes: number;
}

interface Section {
  readonly keys: ReadonlyMap<string, string>;
}

/**
 * Follows the cross-reference sections of a PDF, from the position that it gives for the last one, along /Prev. Each is a table
 * with a trailer or a stream. ISO 32000-2, 7.5.4, 7.5.5, 7.5.8.
 */
export async function readCrossReference(
  reader: BlockReader,
  position: number,
  headerAt: number,
): Promise<CrossReference> {
  const visited = new Set<number>();
  const budget = { subsections: MOST_SUBSECTIONS, dictionaryBytes: MOST_DICTIONARIES_BYTES };
  let isEncrypted = false;
  for (let at: number | undefined = position; at !== undefined;) {
    if (visited.has(at) || visited.size >= MOST_SECTIONS) return { isParsable: false, isEncrypted };
    visited.add(at);
    // positions count from the header; some writers count from the beginning of the file nevertheless
    let section = await readSection(reader, at + headerAt, budget);
    if (section === undefined && headerAt > 0) section = await readSection(reader, at, budget);
    if (section === undefined) return { isParsable: false, isEncrypted };
    isEncrypted ||= section.keys.has('Encrypt') && section.keys.get('Encrypt') !== 'null';
    const previous = section.keys.get('Prev');
    at = previous === undefined ? undefined : Number(previous);
    if (at !== undefined && !Number.isSafeInteger(at)) return { isParsable: false, isEncrypted };
  }
  return { isParsable: true, isEncrypted };
}

async function readSection(reader: BlockReader, position: number, budget: Budget): Promise<Section | undefined> {
  const text = (await reader.read(position, 64)).toString('latin1');
  const table = /^[\0\t\n\f\r ]{0,16}xref[\0\t\n\f\r ]{1,8}/.exec(text);
  if (table !== null) return readTable(reader, position + table[0].length, budget);
  const object = /^[\0\t\n\f\r ]{0,16}\d{1,10}[ \r\n]{1,4}\d{1,5}[ \r\n]{1,4}obj/.exec(text);
  if (object === null) return undefined;
  const dictionary = await dictionaryAt(reader, position + object[0].length, budget);
  return dictionary?.keys.get('Type') === '/XRef' ? dictionary : undefined;
}

/** Entries have twenty bytes each, so that all but the first of a subsection are passed over. */
async function readTable(reader: BlockReader, start: number, budget: Budget): Promise<Section | undefined> {
  for (let at = start; budget.subsections > 0; budget.subsections -= 1) {
    const text = (await reader.read(at, 64)).toString('latin1');
    const trailer = /^[\0\t\n\f\r ]{0,16}trailer/.exec(text);
    if (trailer !== null) return dictionaryAt(reader, at + trailer[0].length, budget);
    const head = /^[\0\t\n\f\r ]{0,8}(\d{1,10}) (\d{1,10})[ \r\n]{1,4}/.exec(text);
    if (head === null) return undefined;
    const entries = Number(head[2]);
    const first = text.slice(head[0].length, head[0].length + ENTRY_BYTES);
    if (entries > 0 && !/^\d{10} \d{5} [nf][ \r\n]{2}$/.test(first)) return undefined;
    at += head[0].length + entries * ENTRY_BYTES;
  }
  return undefined;
}

async function dictionaryAt(reader: BlockReader, position: number, budget: Budget): Promise<Section | undefined> {
  for (const length of [1024, MOST_DICTIONARY_BYTES]) {
    if (budget.dictionaryBytes <= 0) return undefined;
    const text = (await reader.read(position, length)).toString('latin1');
    const dictionary = readDictionary(text);
    budget.dictionaryBytes -= dictionary?.end ?? text.length;
    if (dictionary !== undefined) return dictionary;
  }
  return undefined;
}
