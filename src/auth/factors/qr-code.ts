import { crc32, deflateSync } from 'node:zlib';
import { encode } from 'uqr';

const PIXELS_PER_MODULE = 6;
/** The quiet zone that ISO/IEC 18004 asks for, in modules. */
const BORDER = 4;

export interface QrCode {
  /** Data URIs. */
  readonly svg: string;
  readonly png: string;
}

/** A text as a picture to be scanned: black on white, whatever the page around it looks like. */
export function qrCodeOf(text: string): QrCode {
  const { data } = encode(text, { ecc: 'M', border: BORDER });
  return {
    svg: `data:image/svg+xml;base64,${Buffer.from(svgOf(data)).toString('base64')}`,
    png: `data:image/png;base64,${pngOf(data).toString('base64')}`,
  };
}

type Modules = readonly (readonly boolean[])[];

function svgOf(modules: Modules): string {
  const size = modules.length;
  const path = modules.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path d="${path}"/></svg>`;
}

/** PNG (ISO/IEC 15948) with one bit a pixel. */
function pngOf(modules: Modules): Buffer {
  const side = modules.length * PIXELS_PER_MODULE;
  const rows = modules.flatMap((row) => Array<Buffer>(PIXELS_PER_MODULE).fill(lineOf(row, side)));
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.writeUInt8(1, 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** One row of pixels after its filter type; a set bit is white. */
function lineOf(row: readonly boolean[], side: number): Buffer {
  const line = Buffer.alloc(1 + Math.ceil(side / 8));
  for (let x = 0; x < side; x += 1) {
    const isDark = row[Math.floor(x / PIXELS_PER_MODULE)] === true;
    const at = 1 + (x >> 3);
    if (!isDark) line.writeUInt8(line.readUInt8(at) | (0x80 >> (x & 7)), at);
  }
  return line;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
