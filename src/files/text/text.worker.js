import { Worker } from 'node:worker_threads';
import mammoth from 'mammoth';
import { getDocumentProxy } from 'unpdf';
import WordExtractor from 'word-extractor';

/** Of UTF-8; a résumé has a few thousand. */
const MOST_TEXT_BYTES = 200 * 1024;
/** Of what a library said; it goes to a log. */
const MOST_DETAIL_LENGTH = 500;

/**
 * Runs in a process of its own, with the megabytes that it may grow by as its argument. Says that it is ready, then answers each
 * document with an outcome. Plain JavaScript because a process loads its file itself, from src in tests and from dist in production.
 *
 * @param {{ kind: 'pdf' | 'doc' | 'docx', bytes: Uint8Array }} task
 * @returns {Promise<{ text: string } | { reason: 'unreadable' | 'encrypted' | 'memory', detail: string }>}
 */
async function work({ kind, bytes }) {
  const read = { pdf: readPdf, doc: readDoc, docx: readDocx }[kind];
  try {
    return { text: normalise(await read(bytes)) };
  } catch (error) {
    return { reason: reasonOf(error), detail: String(error).slice(0, MOST_DETAIL_LENGTH) };
  }
}

function serve() {
  const mostBytes = process.memoryUsage.rss() + Number(process.argv[2]) * 1024 * 1024;
  const watch = new Worker(new URL('./text-memory.worker.js', import.meta.url), {
    workerData: { mostBytes, parent: process.ppid },
  });
  watch.once('online', () => process.send?.('ready'));
  process.on('message', async (task) => process.send?.(await work(/** @type {Parameters<typeof work>[0]} */ (task))));
  // whoever asked is gone
  process.on('disconnect', () => process.exit());
}

class Encrypted extends Error {}

/** @param {unknown} error */
function reasonOf(error) {
  if (error instanceof Encrypted) return 'encrypted';
  if (!(error instanceof Error)) return 'unreadable';
  if (error.name === 'PasswordException' || /encrypted zip/i.test(error.message)) return 'encrypted';
  return /allocation failed|invalid (string|array|array buffer|typed array) length/i.test(error.message)
    ? 'memory'
    : 'unreadable';
}

/**
 * Page after page, and no further than what is kept.
 *
 * @param {Uint8Array} bytes
 */
async function readPdf(bytes) {
  const pdf = await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0 });
  let text = '';
  for (let number = 1; number <= pdf.numPages && text.length < 4 * MOST_TEXT_BYTES; number += 1) {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    for (const item of items) if ('str' in item) text += item.hasEOL ? `${item.str}\n` : item.str;
    text += '\n';
    page.cleanup();
  }
  await pdf.destroy();
  return text;
}

/** @param {Uint8Array} bytes */
async function readDocx(bytes) {
  const buffer = Buffer.from(bytes);
  // Word wraps the encrypted archive in a compound file. [MS-OFFCRYPTO] 1.3.3
  if (buffer.includes(Buffer.from('EncryptedPackage', 'utf16le'))) throw new Encrypted('EncryptedPackage');
  return (await mammoth.extractRawText({ buffer })).value;
}

/** @param {Uint8Array} bytes */
async function readDoc(bytes) {
  const buffer = Buffer.from(bytes);
  if (isEncryptedDoc(buffer)) throw new Encrypted('fEncrypted');
  const document = await new WordExtractor().extract(buffer);
  return [document.getHeaders(), document.getBody(), document.getTextboxes(), document.getFootnotes()].join('\n');
}

/**
 * Whether the document's first block, which stands at the beginning of a sector, is flagged as encrypted; word-extractor
 * does not look and would give noise. [MS-DOC] 2.5.2
 *
 * @param {Buffer} buffer
 */
function isEncryptedDoc(buffer) {
  for (let at = 512; at + 32 <= buffer.length; at += 512) {
    if (buffer.readUInt16LE(at) === 0xa5ec) return (buffer.readUInt16LE(at + 10) & 0x0100) !== 0;
  }
  return false;
}

/**
 * One line of well-formed text that PostgreSQL takes and a search finds words in.
 *
 * @param {string} text
 */
function normalise(text) {
  const line = text
    // a soft hyphen or a zero-width space would stand inside a word that is searched for; PostgreSQL has no NUL
    .replace(/[\0\u00ad\u200b]/g, '')
    .replace(/\p{Cs}/gu, '\ufffd')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .normalize('NFC')
    .trim();
  const { read } = new TextEncoder().encodeInto(line, new Uint8Array(MOST_TEXT_BYTES));
  return line.slice(0, read).trimEnd();
}

serve();
