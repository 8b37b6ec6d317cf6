// Loaded into Forecourt before itself: while the file of TORTURE_DNS_BROKEN is there, nobody knows any name.
import dns from 'node:dns';
import { existsSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isIP } from 'node:net';

const { lookup } = dns;
const broken = process.env['TORTURE_DNS_BROKEN'] ?? '';

/** @param {string} host @param {any[]} rest options, if any, and who is told */
function lookupUnlessBroken(host, ...rest) {
  if (isIP(host) !== 0 || !existsSync(broken)) return /** @type {any} */ (lookup)(host, ...rest);
  const error = Object.assign(new Error(`getaddrinfo EAI_AGAIN ${host}`), {
    code: 'EAI_AGAIN',
    syscall: 'getaddrinfo',
  });
  process.nextTick(rest.at(-1), error);
}

Object.assign(dns, { lookup: lookupUnlessBroken });
syncBuiltinESMExports();
