// Writes src/auth/passwords/common-passwords.txt: the 3,000 most common passwords that are long enough to be chosen at all.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const SHORTEST = 8;
const MOST = 3000;

const { version } = require('@zxcvbn-ts/language-common/package.json');
/** @type {string[]} most common first */
const passwords = require('@zxcvbn-ts/language-common').dictionary.passwords;
const common = passwords.filter((password) => password.length >= SHORTEST).slice(0, MOST);
const head = [
  `# The ${MOST} most common passwords of ${SHORTEST} characters or more, most common first (node tools/common-passwords.mjs).`,
  `# From @zxcvbn-ts/language-common ${version}, licence MIT, Copyright (c) 2012-2016 Dan Wheeler and Dropbox, Inc.:`,
  '# Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated',
  '# documentation files (the "Software"), to deal in the Software without restriction, including without limitation the',
  '# rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit',
  '# persons to whom the Software is furnished to do so, subject to the following conditions: The above copyright notice and',
  '# this permission notice shall be included in all copies or substantial portions of the Software. THE SOFTWARE IS PROVIDED',
  '# "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF',
  '# MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT',
  '# HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,',
  '# ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.',
];
writeFileSync('src/auth/passwords/common-passwords.txt', `${[...head, ...common].join('\n')}\n`);
