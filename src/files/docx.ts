import type { Content } from './content.js';
import { Finding } from './finding.js';
import { type Inspection, notOfType } from './inspection.js';
import { MarkupBudget, TooMuchXml, UnsafeXml, type XmlTag, XmlTags } from './xml-tags.js';
import { FIRST_ENTRY, readZip, UnfitArchive, unpack, type ZipEntry } from './zip.js';

const CONTENT_TYPES = '[Content_Types].xml';
const MAIN_TYPE = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml';
const USUAL_MAIN_PART = 'word/document.xml';
/** Relationships that are loaded as soon as the document is opened; a hyperlink waits for a click. ECMA-376-1, 15.2. */
const LOADED_RELATIONSHIPS = /\/(?:attachedTemplate|oleObject|frame|subDocument|package|aFChunk)$/i;

/**
 * Whether a zip archive is a Word document without macros, and what it would load from elsewhere; undefined when it is no zip
 * archive. Reads the directory first, then unpacks every entry once, discarding the bytes, to hold it to its promises. ECMA-376-2
 * (Open Packaging Conventions), 6.2 and 7.2. Never throws for what the archive says.
 */
export async function inspectDocx(content: Content): Promise<Inspection | undefined> {
  if (!(await content.read(0, FIRST_ENTRY.length)).equals(FIRST_ENTRY)) return undefined;
  try {
    const entries = await readZip(content);
    const budget = new MarkupBudget();
    const types = await typesOf(content, entries, budget);
    const other = otherKind(entries, types);
    if (other !== undefined) return notOfType(other);
    return { isOfType: true, findings: await readParts(content, entries, budget) };
  } catch (error) {
    if (error instanceof UnfitArchive) return notOfType(error.message);
    if (error instanceof UnsafeXml) return notOfType('a document with XML declarations that are not allowed in it');
    if (error instanceof TooMuchXml) return notOfType('a document with more XML tags than any has');
    throw error;
  }
}

/** What a zip archive is, judged by the names in it, for somebody who expected something else. */
export async function kindOfZip(content: Content): Promise<string> {
  try {
    const names = (await readZip(content)).map(({ name }) => name);
    return names.includes(USUAL_MAIN_PART) ? 'a DOCX file' : (kindByName(names) ?? 'a ZIP archive');
  } catch (error) {
    if (error instanceof UnfitArchive) return 'a ZIP archive';
    throw error;
  }
}

function kindByName(names: readonly string[]): string | undefined {
  if (names.some((name) => name.startsWith('xl/workbook.'))) return 'an Excel workbook';
  if (names.includes('ppt/presentation.xml')) return 'a PowerPoint presentation';
  if (names.includes('META-INF/MANIFEST.MF')) return 'a Java program';
  if (names.includes('mimetype') && names.includes('content.xml')) return 'an OpenDocument file';
  return undefined;
}

/** The content types that the parts have, each with the part that it is said of, if it is said of one. */
async function typesOf(
  content: Content,
  entries: readonly ZipEntry[],
  budget: MarkupBudget,
): Promise<Map<string, string>> {
  const types = new Map<string, string>();
  const list = entries.find(({ name }) => name === CONTENT_TYPES);
  if (list === undefined) return types;
  await readTags(content, list, budget, ({ attributes }) => {
    const type = attributes.get('ContentType');
    if (type !== undefined) types.set(type.trim().toLowerCase(), (attributes.get('PartName') ?? '').replace(/^\//, ''));
  });
  return types;
}

/** What it is instead of a Word document that can be accepted. */
function otherKind(entries: readonly ZipEntry[], types: ReadonlyMap<string, string>): string | undefined {
  const names = entries.map(({ name }) => name);
  const isMacros = (text: string): boolean => /macroenabled|vbaproject|vbadata/i.test(text);
  if (names.some(isMacros) || [...types.keys()].some(isMacros)) return 'a document with macros';
  const mainPart = types.get(MAIN_TYPE);
  if (mainPart !== undefined && (names.includes(USUAL_MAIN_PART) || names.includes(mainPart))) return undefined;
  if ([...types.keys()].some((type) => type.includes('wordprocessingml.template'))) return 'a Word template';
  return kindByName(names) ?? 'a ZIP archive without a Word document';
}

async function readParts(content: Content, entries: readonly ZipEntry[], budget: MarkupBudget): Promise<Finding[]> {
  const findings = new Set<Finding>();
  for (const entry of entries) {
    if (entry.name.endsWith('.rels')) {
      await readTags(content, entry, budget, ({ attributes }) => {
        const isExternal = attributes.get('TargetMode') === 'External';
        if (isExternal && LOADED_RELATIONSHIPS.test(attributes.get('Type') ?? ''))
          findings.add(Finding.ExternalContent);
      });
    } else if (/\.(?:xml|vml)$/i.test(entry.name)) await readProlog(content, entry, budget);
    else for await (const _ of unpack(content, entry));
    if (/\/embeddings\//i.test(entry.name)) findings.add(Finding.EmbeddedFiles);
  }
  return [...findings];
}

async function readTags(
  content: Content,
  entry: ZipEntry,
  budget: MarkupBudget,
  see: (tag: XmlTag) => void,
): Promise<void> {
  const tags = new XmlTags(budget);
  for await (const chunk of unpack(content, entry)) for (const tag of tags.read(chunk)) see(tag);
}

/** A document type declaration can stand only before the first element. XML 1.0, 2.8. */
async function readProlog(content: Content, entry: ZipEntry, budget: MarkupBudget): Promise<void> {
  const tags = new XmlTags(budget);
  let isInside = false;
  for await (const chunk of unpack(content, entry)) if (!isInside) isInside = tags.read(chunk).next().done !== true;
}
