import { inflateSync } from 'node:zlib';
import { encode } from 'uqr';
import { qrCodeOf } from './qr-code.js';

const TEXT = 'otpauth://totp/Forecourt:ada?issuer=Forecourt&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const { data: MODULES } = encode(TEXT, { ecc: 'M', border: 4 });

function bytesOf(uri: string, type: string): Buffer {
  expect(uri.startsWith(`data:${type};base64,`)).toBe(true);
  return Buffer.from(uri.slice(uri.indexOf(',') + 1), 'base64');
}

describe('qrCodeOf', () => {
  const { svg, png } = qrCodeOf(TEXT);

  it('draws every dark module in the SVG, and no other', () => {
    const text = bytesOf(svg, 'image/svg+xml').toString();
    const dark = new Set([...text.matchAll(/M(\d+) (\d+)h1v1h-1z/g)].map(([, x, y]) => `${x},${y}`));

    const drawn = MODULES.map((row, y) => row.map((_, x) => dark.has(`${x},${y}`)));

    expect(drawn).toEqual(MODULES);
    expect(dark.size).toBeGreaterThan(300);
  });

  it('draws the same in the PNG, six pixels a module', () => {
    const bytes = bytesOf(png, 'image/png');
    const side = bytes.readUInt32BE(16);
    const start = bytes.indexOf('IDAT') + 4;
    const pixels = inflateSync(bytes.subarray(start, start + bytes.readUInt32BE(start - 8)));
    const width = 1 + Math.ceil(side / 8);
    const isDark = (x: number, y: number): boolean =>
      ((pixels[y * width + 1 + (x >> 3)] ?? 0) & (0x80 >> (x & 7))) === 0;

    const drawn = MODULES.map((row, y) => row.map((_, x) => isDark(x * 6 + 3, y * 6 + 3)));

    expect([side, pixels.length]).toEqual([MODULES.length * 6, side * width]);
    expect(drawn).toEqual(MODULES);
    // bit depth 1, greyscale, no interlace
    expect([...bytes.subarray(24, 29)]).toEqual([1, 0, 0, 0, 0]);
    expect(bytes.subarray(-8).toString('latin1')).toContain('IEND');
  });
});
