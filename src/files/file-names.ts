import { randomUUID } from 'node:crypto';

/** The name a file is stored under: `{uuid}_{base name}{extension}`, safe on every file system, at most 92 characters. */
export function storageKeyFor(originalName: string, extension: string): string {
  return `${randomUUID()}_${baseNameOf(originalName, extension)}${extension}`;
}

/** Letters, digits, dots, dashes and underscores of the name without its extension; at most 50 of them. */
function baseNameOf(originalName: string, extension: string): string {
  const withoutFolders = originalName.split(/[/\\]/).at(-1) ?? '';
  const base = withoutFolders.toLowerCase().endsWith(extension)
    ? withoutFolders.slice(0, -extension.length)
    : withoutFolders;
  const ascii = base.normalize('NFKD').replace(/\p{M}/gu, '');
  const safe = ascii
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/\.{2,}/g, '.')
    .replace(/^[._-]+/, '')
    .slice(0, 50)
    .replace(/[._-]+$/, '');
  return safe === '' ? 'file' : safe;
}

/** The sender's name for the file, fit to be shown: one line, no folders, at most 255 characters. */
export function shownName(originalName: string): string {
  const name = (originalName.split(/[/\\]/).at(-1) ?? '')
    .replace(/[\p{Cc}\p{Cs}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, '')
    .trim()
    .normalize('NFC');
  return name === '' ? 'file' : Array.from(name).slice(0, 255).join('');
}
