import { dispositionOf as headerOf } from '../files/download.js';
import { Lead } from './lead.entity.js';
import { resumeNameOf } from './resume-name.js';

const STORED = '0d7f7c52-3f6e-4a1c-9f7e-6a1f6f1f2c11_cv.pdf';

const dispositionOf = (firstName: string, lastName: string, resumePath = STORED): string =>
  headerOf(resumeNameOf(Object.assign(new Lead(), { firstName, lastName, resumePath })), 'attachment');

describe('the name of a downloaded résumé', () => {
  it('is made from the lead', () => {
    expect(dispositionOf('Ada', 'Lovelace')).toBe('attachment; filename="Ada_Lovelace_resume.pdf"');
  });

  it.each(['.doc', '.docx'])('keeps the real extension %s', (extension) => {
    expect(dispositionOf('Ada', 'Lovelace', `x_cv.pdf${extension}`)).toBe(
      `attachment; filename="Ada_Lovelace_resume${extension}"`,
    );
  });

  it.each([
    ['a double name', 'Mary Ann', 'van der Berg', 'Mary_Ann_van_der_Berg_resume.pdf'],
    ['several blanks', ' Mary   Ann ', 'B', 'Mary_Ann_B_resume.pdf'],
    ['an apostrophe', 'Pat', "O'Hara", "Pat_O'Hara_resume.pdf"],
    ['quotes', 'A"da"', '"', 'Ada__resume.pdf'],
    ['a backslash', 'A\\da', 'L', 'Ada_L_resume.pdf'],
    ['CR and LF', 'A"\r\nX-Evil: y', 'L', 'AX-Evil_y_L_resume.pdf'],
    ['NUL and DEL', 'A\0d\u007fa', 'L', 'Ada_L_resume.pdf'],
    ['folders', '../../etc', '/passwd', '....etc_passwd_resume.pdf'],
    ['what Windows forbids', 'A<d>a:|?*', 'L', 'Ada_L_resume.pdf'],
    ['percent signs that look encoded', 'A%41', '%22', 'A41_22_resume.pdf'],
    ['semicolons and equal signs', 'a; filename=evil.exe', 'L', 'a;_filename=evil.exe_L_resume.pdf'],
    ['half a character', 'A\ud83d', 'L\ude00', 'A_L_resume.pdf'],
  ])('is safe in spite of %s', (_, firstName, lastName, name) => {
    expect(dispositionOf(firstName, lastName)).toBe(`attachment; filename="${name}"`);
  });

  it.each([
    ['accents', 'Zoë', 'Müller', 'Zoe_Muller_resume.pdf', 'Zo%C3%AB_M%C3%BCller_resume.pdf'],
    ['an accent apart from its letter', 'Zoe\u0308', 'L', 'Zoe_L_resume.pdf', 'Zoe%CC%88_L_resume.pdf'],
    ['letters without a plain form', 'Łukasz', 'Groß', '_ukasz_Gro__resume.pdf', '%C5%81ukasz_Gro%C3%9F_resume.pdf'],
    ['another script', '李', '小龙', '_____resume.pdf', '%E6%9D%8E_%E5%B0%8F%E9%BE%99_resume.pdf'],
    ['a picture', '😀', 'L', '___L_resume.pdf', '%F0%9F%98%80_L_resume.pdf'],
    [
      'an apostrophe and brackets',
      "Zoë (O'Hara)",
      '*',
      "Zoe_(O'Hara)__resume.pdf",
      'Zo%C3%AB_%28O%27Hara%29__resume.pdf',
    ],
  ])('gives %s in UTF-8 as well, as RFC 8187 has it', (_, firstName, lastName, ascii, encoded) => {
    expect(dispositionOf(firstName, lastName)).toBe(`attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`);
  });

  it('is made of visible ASCII only, whatever the names', () => {
    for (let code = 0; code < 0x3000; code += 1) {
      const name = `A${String.fromCharCode(code)}b`;

      expect(dispositionOf(name, name)).toMatch(
        /^attachment; filename="[^"\\\x00-\x1f\x7f-\uffff]+"(; filename\*=UTF-8''[\w!#$&+.^`|~%-]+)?$/,
      );
    }
  });
});
