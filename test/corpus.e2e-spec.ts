import { declaredType, RESUME_TYPES } from '../src/files/file-types.js';
import { eventually, startApp, type TestApp } from './support/app.js';
import { BufferContent } from './support/content.js';
import { CORPUS } from './support/corpus.js';
import { aLead, get, jsonOf, submit, tokenOf } from './support/leads.js';

interface ErrorBody {
  detail: string;
  error_code: string;
  field_errors?: Record<string, string[]>;
}

const DETAILS: Readonly<Record<string, string>> = {
  VALIDATION_ERROR: 'Some fields are missing or invalid',
  FILE_TOO_LARGE: 'The file is too large',
  FILE_TYPE_NOT_ALLOWED: 'Files of this type are not accepted',
};

const accepted = CORPUS.flatMap((each) => (each.expected.status === 201 ? [{ ...each, expected: each.expected }] : []));
const refused = CORPUS.flatMap((each) => (each.expected.status === 201 ? [] : [{ ...each, expected: each.expected }]));

let app: TestApp;
let token: string;
beforeAll(async () => {
  app = await startApp();
  token = await tokenOf(app);
});
afterAll(() => app.close());

const rows = async (): Promise<unknown> =>
  app.database.query(
    'SELECT (SELECT count(*) FROM leads) AS leads, (SELECT count(*) FROM files) AS files, (SELECT count(*) FROM mail_messages) AS mails',
  );

describe('the corpus', () => {
  it('has at least 60 cases, no two of one name', () => {
    expect(CORPUS.length).toBeGreaterThanOrEqual(60);
    expect(new Set(CORPUS.map(({ name }) => name)).size).toBe(CORPUS.length);
  });
});

describe('POST /api/v1/leads', () => {
  it.each(accepted)(
    'takes $name and gives it back byte for byte',
    async ({ bytes, fileName: name, declaredType: type }) => {
      const sent = bytes();
      const id = await aLead(app, { file: { bytes: sent, name, type } });

      const download = await get(app, `/api/v1/leads/${id}/resume`, token);

      expect([download.status, download.headers.get('content-type')]).toEqual([200, type]);
      expect(Buffer.from(await download.arrayBuffer()).equals(sent)).toBe(true);
    },
  );

  it.each(refused)(
    'refuses $name with $expected.status, says why and keeps nothing',
    async ({ bytes, fileName: name, declaredType: type, expected }) => {
      const [files, before] = [await app.storedFiles(), await rows()];

      const response = await submit(app, { file: { bytes: bytes(), name, type } });

      const body = await jsonOf<ErrorBody>(response);
      expect(response.status).toBe(expected.status);
      expect(body).toMatchObject({
        detail: DETAILS[expected.errorCode],
        error_code: expected.errorCode,
        field_errors: { resume: [expected.resume] },
      });
      await eventually('no file is left', async () => (await app.storedFiles()).length === files.length);
      expect([await app.storedFiles(), await rows()]).toEqual([files, before]);
    },
  );
});

describe('an inspection', () => {
  it.each(accepted)(
    'finds in $name: $expected.findings',
    async ({ bytes, fileName, declaredType: mediaType, expected }) => {
      const type = declaredType(RESUME_TYPES, fileName, mediaType);

      const inspection = await type?.inspect(new BufferContent(bytes()));

      expect(inspection).toEqual({ isOfType: true, findings: expected.findings });
    },
  );
});
