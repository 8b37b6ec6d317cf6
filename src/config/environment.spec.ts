import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvironment } from './environment.js';

describe('readEnvironment', () => {
  const saved = process.env;
  const workingDirectory = process.cwd();
  let file: string;

  beforeEach(async () => {
    file = join(await mkdtemp(join(tmpdir(), 'forecourt-env-')), '.env');
    process.env = { PATH: '/usr/bin' };
  });

  afterEach(async () => {
    process.env = saved;
    process.chdir(workingDirectory);
    await rm(join(file, '..'), { recursive: true });
  });

  it('takes from the file what the process does not say', async () => {
    await writeFile(file, 'PORT=9000\nCOMPANY_NAME=Ada & Co\n');

    expect(readEnvironment(file)).toMatchObject({ PORT: '9000', COMPANY_NAME: 'Ada & Co' });
  });

  it('lets a variable of the process win over the file', async () => {
    await writeFile(file, 'PORT=9000\nCOMPANY_NAME=from the file\n');
    process.env['PORT'] = '7000';

    expect(readEnvironment(file)).toMatchObject({ PORT: '7000', COMPANY_NAME: 'from the file' });
  });

  it('lets even an empty variable of the process win, so that a container can unset what a file says', async () => {
    await writeFile(file, 'SECRET_KEY=from-the-file\n');
    process.env['SECRET_KEY'] = '';

    expect(readEnvironment(file)['SECRET_KEY']).toBe('');
  });

  it('looks into .env of the working directory', async () => {
    await writeFile(file, 'PORT=9000\n');
    process.chdir(join(file, '..'));

    expect(readEnvironment()).toEqual({ PATH: '/usr/bin', PORT: '9000' });
  });

  it('does without a file', () => {
    expect(readEnvironment(file)).toEqual({ PATH: '/usr/bin' });
  });

  it('changes no variable of the process', async () => {
    await writeFile(file, 'PORT=9000\n');

    readEnvironment(file);

    expect(process.env['PORT']).toBeUndefined();
  });

  it.each([
    ['a comment', '# PORT=1\nPORT=9000 # the port', '9000'],
    ['double quotes', 'PORT="90 00"', '90 00'],
    ['single quotes around # and $', "PORT='9#0$0'", '9#0$0'],
    ['blanks around the sign', 'PORT = 9000', '9000'],
    ['export before the name', 'export PORT=9000', '9000'],
    ['lines that end as on Windows', 'A=1\r\nPORT=9000\r\n', '9000'],
    ['a sign of equality in the value', 'PORT=a=b==', 'a=b=='],
    ['an empty value', 'PORT=', ''],
  ])('understands %s', async (_, text, expected) => {
    await writeFile(file, text);

    expect(readEnvironment(file)['PORT']).toBe(expected);
  });
});
