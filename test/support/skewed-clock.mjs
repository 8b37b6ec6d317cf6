// Loaded into Forecourt before itself: its clock, and no other, is ahead by as many seconds as the file of SKEWED_CLOCK says.
import { readFileSync } from 'node:fs';

const RealDate = Date;
const file = process.env['SKEWED_CLOCK'] ?? '';
const skewMs = () => Number(readFileSync(file, 'utf8')) * 1000;

globalThis.Date = /** @type {DateConstructor} */ (
  new Proxy(RealDate, {
    construct: (target, values, newTarget) =>
      Reflect.construct(target, values.length === 0 ? [RealDate.now() + skewMs()] : values, newTarget),
    apply: () => new RealDate(RealDate.now() + skewMs()).toString(),
    get: (target, name) => (name === 'now' ? () => RealDate.now() + skewMs() : Reflect.get(target, name)),
  })
);
