// Writes which role may call which route, as README.md shows it: from the built controllers and the list of permissions.
import { readdirSync } from 'node:fs';
import { RequestMethod, VERSION_NEUTRAL } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA, VERSION_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner } from '@nestjs/core';

const BUILT = new URL('../dist/src/', import.meta.url);
/** @param {string} path */
const load = (path) => import(new URL(path, BUILT).href);

const { ACCESS } = await load('auth/auth.decorators.js');
const { may, PUBLIC } = await load('auth/permissions.js');
const { Role } = await load('users/role.js');
const holders = [PUBLIC, ...Object.values(Role)];

/** @param {Function} controller @returns {string[][]} cells of each of its routes */
function rowsOf(controller) {
  const version = Reflect.getMetadata(VERSION_METADATA, controller);
  const base = version === VERSION_NEUTRAL ? '' : `api/v${String(version)}`;
  return new MetadataScanner()
    .getAllMethodNames(controller.prototype)
    .map((name) => controller.prototype[name])
    .filter((handler) => Reflect.hasMetadata(METHOD_METADATA, handler))
    .map((handler) => {
      const parts = [base, Reflect.getMetadata(PATH_METADATA, controller), Reflect.getMetadata(PATH_METADATA, handler)];
      const path = parts.flatMap((part) => String(part).split('/')).filter((part) => part !== '');
      const access = Reflect.getMetadata(ACCESS, handler);
      const marks = holders.map((holder) => (access === 'public' || may(holder, access, false) ? '✓' : ''));
      const written = path.map((part) => part.replace(/^:(.*)$/, '{$1}')).join('/');
      return [`\`${RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler)]} /${written}\``, ...marks];
    });
}

const files = readdirSync(BUILT, { recursive: true, encoding: 'utf8' }).filter((file) =>
  /\.controller\.js$/.test(file),
);
const controllers = (await Promise.all(files.map(load))).flatMap((exported) =>
  Object.values(exported).filter((each) => typeof each === 'function' && Reflect.hasMetadata(PATH_METADATA, each)),
);
/** @param {string[]} row */
const address = ([route = '']) => (route.split(' ')[1] ?? '').replace('`', '');
const rows = controllers
  .flatMap(rowsOf)
  .sort((one, other) => address(one).localeCompare(address(other)) || String(one).localeCompare(String(other)));
const lines = [['Route', ...holders], ['---', ...holders.map(() => '---')], ...rows];
process.stdout.write(`${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`);
