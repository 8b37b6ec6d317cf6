import { randomBytes } from 'node:crypto';
import { shownName, storageKeyFor } from './file-names.js';

/** The format that is promised: a UUID of version 4, at most 50 safe characters, an extension in small letters. */
const STORED_NAME =
  /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}_[A-Za-z0-9](?:[A-Za-z0-9._-]{0,48}[A-Za-z0-9])?\.(?:pdf|docx?)$/;

const baseOf = (key: string): string => key.slice(37).replace(/\.(pdf|docx?)$/, '');

describe('storageKeyFor', () => {
  it.each([
    ['resume.pdf', 'resume'],
    ['Resume.PDF', 'Resume'],
    ['my resume (1)!.pdf', 'my_resume_1'],
    ['my résumé (1)!.pdf', 'my_resume_1'],
    ['my re\u0301sume\u0301.pdf', 'my_resume'],
    ['a.b-c_d.pdf', 'a.b-c_d'],
    ['resume', 'resume'],
    ['resume.txt', 'resume.txt'],
    ['resume.pdf.pdf', 'resume.pdf'],
    ['a..b...c.pdf', 'a.b.c'],
    ['../../etc/passwd.pdf', 'passwd'],
    ['..\\..\\windows\\system32\\cmd.pdf', 'cmd'],
    ['/etc/passwd.pdf', 'passwd'],
    ['C:\\Users\\Ada\\cv.pdf', 'cv'],
    ['\\\\server\\share\\cv.pdf', 'cv'],
    ['a/b\\c/cv.pdf', 'cv'],
    ['..pdf', 'file'],
    ['...pdf', 'file'],
    ['....pdf', 'file'],
    ['.pdf', 'file'],
    ['', 'file'],
    ['/', 'file'],
    ['..', 'file'],
    ['cv.pdf/', 'file'],
    ['.htaccess.pdf', 'htaccess'],
    ['-rf.pdf', 'rf'],
    ['__proto__.pdf', 'proto'],
    ['~root.pdf', 'root'],
    ['cv\0.exe.pdf', 'cv_.exe'],
    ['cv.pdf\0.exe', 'cv.pdf_.exe'],
    ['cv\r\nX-Evil: y.pdf', 'cv_X-Evil_y'],
    ['cv\u202efdp.pdf', 'cv_fdp'],
    ['a b\tc\u00a0d\u3000e.pdf', 'a_b_c_d_e'],
    ['????.pdf', 'file'],
    ['履歴書.pdf', 'file'],
    ['резюме 2026.pdf', '2026'],
    ['😀😀.pdf', 'file'],
    ['\ud83d.pdf', 'file'],
    ['ﬁne.pdf', 'fine'],
    ['ＣＶ.pdf', 'CV'],
    ['a\uff0f\uff0e\uff0e\uff0fb.pdf', 'a_._b'],
    ['CON.pdf', 'CON'],
    ['nul.pdf', 'nul'],
    ['$(reboot).pdf', 'reboot'],
    ['`id`;ls|cat&.pdf', 'id_ls_cat'],
    ['%2e%2e%2fcv.pdf', '2e_2e_2fcv'],
    ['a"b\'c<d>e*f?g:h.pdf', 'a_b_c_d_e_f_g_h'],
  ])('keeps of %j the part %s', (name, base) => {
    const key = storageKeyFor(name, '.pdf');

    expect(key).toMatch(STORED_NAME);
    expect(baseOf(key)).toBe(base);
  });

  it.each([
    ['50 letters', 'a'.repeat(50), 'a'.repeat(50)],
    ['51 letters', 'a'.repeat(51), 'a'.repeat(50)],
    ['200 letters', 'a'.repeat(200), 'a'.repeat(50)],
    ['200 letters of which the 50th is a dot', `${'a'.repeat(49)}.${'b'.repeat(150)}`, 'a'.repeat(49)],
    ['200 letters with accents', 'é'.repeat(200), 'e'.repeat(50)],
    ['a ligature of eighteen letters', '\ufdfa'.repeat(100), 'file'],
    ['a megabyte', 'ab '.repeat(350_000), 'ab_'.repeat(17).slice(0, 50)],
  ])('shortens %s to at most 50', (_, name, base) => {
    const key = storageKeyFor(`${name}.docx`, '.docx');

    expect(key).toMatch(STORED_NAME);
    expect(baseOf(key)).toBe(base);
    expect(key.length).toBeLessThanOrEqual(92);
  });

  it('is 92 characters long at most', () => {
    expect(storageKeyFor(`${'a'.repeat(255)}.docx`, '.docx')).toHaveLength(92);
  });

  it.each([
    ['cv.PDF', '.pdf'],
    ['cv.Doc', '.doc'],
    ['cv.DOCX', '.docx'],
  ])('ends the key of %s with %s', (name, extension) => {
    expect(storageKeyFor(name, extension)).toMatch(new RegExp(`_cv\\${extension}$`));
  });

  it('gives the same name twice two keys', () => {
    const keys = Array.from({ length: 100 }, () => storageKeyFor('cv.pdf', '.pdf'));

    expect(new Set(keys).size).toBe(100);
  });

  it('keeps the format whatever the name', () => {
    const names = Array.from({ length: 500 }, (_, length) => randomBytes(length).toString('utf16le'));

    for (const name of names) expect(storageKeyFor(name, '.pdf')).toMatch(STORED_NAME);
  });
});

describe('shownName', () => {
  it.each([
    ['Résumé Ada.pdf', 'Résumé Ada.pdf'],
    ['Re\u0301sume\u0301.pdf', 'Résumé.pdf'],
    ['  cv.pdf  ', 'cv.pdf'],
    ['履歴書.pdf', '履歴書.pdf'],
    ['a "quoted" <b>.pdf', 'a "quoted" <b>.pdf'],
    ['/home/ada/cv.pdf', 'cv.pdf'],
    ['C:\\Ada\\cv.pdf', 'cv.pdf'],
    ['../../cv.pdf', 'cv.pdf'],
    ['cv\r\nBcc: eve@example.com.pdf', 'cvBcc: eve@example.com.pdf'],
    ['cv\0.pdf', 'cv.pdf'],
    ['cv\u0085\u2028\u2029.pdf', 'cv.pdf'],
    ['exe\u202efdp.cv', 'exefdp.cv'],
    ['\u2066cv\u2069.pdf', 'cv.pdf'],
    ['cv\ud83d.pdf', 'cv.pdf'],
    ['', 'file'],
    [' \t ', 'file'],
    ['\0\u202e', 'file'],
    ['cv.pdf/', 'file'],
  ])('shows %j as %j', (name, expected) => {
    expect(shownName(name)).toBe(expected);
  });

  it.each([
    ['letters', 'a'],
    ['characters of two code units each', '😀'],
    ['letters with their accents apart', 'e\u0301'],
  ])('shows at most 255 %s', (_, character) => {
    expect(Array.from(shownName(character.repeat(300)))).toHaveLength(255);
    expect(shownName(character.repeat(255))).toBe(character.repeat(255).normalize('NFC'));
  });
});
