import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { atEnd } from './clean-up.js';

const TXT = 16;
const RESPONSE = 0x8180;
const NO_SUCH_NAME = 0x8183;
const SERVER_FAILURE = 0x8182;

/** What a name answers: its TXT records, none, a failure of the server, or nothing at all. A name that is not listed is not there. */
export type DnsZone = Readonly<Record<string, readonly string[] | 'fails' | 'silent'>>;

export interface DnsServer {
  /** As a resolver takes it. */
  readonly address: string;
  /** Every name that was asked for, in order. */
  readonly asked: string[];
}

/** A real DNS server over UDP (RFC 1035, 4) that knows TXT records, until the test is over. */
export async function startDns(zone: DnsZone): Promise<DnsServer> {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, { address, port }) => {
    const { name, end } = questionOf(query);
    asked.push(name);
    const answer = zone[name];
    if (answer === 'silent') return;
    const records = Array.isArray(answer) ? (answer as readonly string[]) : [];
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(answer === 'fails' ? SERVER_FAILURE : answer === undefined ? NO_SUCH_NAME : RESPONSE, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    socket.send(Buffer.concat([header, query.subarray(12, end), ...records.map(answerOf)]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  atEnd(() => socket.close());
  return { address: `127.0.0.1:${socket.address().port}`, asked };
}

function questionOf(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 5 };
}

/** The name is that of the question, by a pointer; the text comes in strings of at most 255 bytes. */
function answerOf(text: string): Buffer {
  const chunks = (text.match(/.{1,200}/gs) ?? ['']).map((chunk) =>
    Buffer.concat([Buffer.from([Buffer.byteLength(chunk)]), Buffer.from(chunk)]),
  );
  const data = Buffer.concat(chunks);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(TXT, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}
