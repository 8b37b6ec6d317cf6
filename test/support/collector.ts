import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { atEnd } from './clean-up.js';

/** A span as it came over the wire. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of a trace. */
  readonly parentId: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly isFailed: boolean;
  /** What all spans of its process say. */
  readonly resource: Readonly<Record<string, string | number>>;
}

/** A collector of OpenTelemetry that keeps what it takes: OTLP over HTTP, in protobuf. */
export interface Collector {
  /** Settings that send a program's traces here. */
  readonly settings: { readonly OTEL_EXPORTER_OTLP_ENDPOINT: string };
  readonly spans: CollectedSpan[];
  /** Everything that came, as text. */
  readonly bytes: () => string;
  readonly headers: Readonly<Record<string, unknown>>[];
}

/** `isHanging`: takes requests and never answers them. */
export async function startCollector({ isHanging = false } = {}): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const bodies: Buffer[] = [];
  const headers: Record<string, unknown>[] = [];
  const server = createServer((request, response) => {
    headers.push({ ...request.headers, url: request.url });
    if (isHanging) return;
    void buffer(request).then((body) => {
      bodies.push(body);
      spans.push(...spansIn(body));
      response.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    settings: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` },
    spans,
    bytes: () => Buffer.concat(bodies).toString('latin1'),
    headers,
  };
}

type Field = Buffer | bigint;

/** The fields of a message by number, in the wire format of protobuf: bytes for what has a length, numbers for the rest. */
function fieldsOf(bytes: Buffer): Map<number, Field[]> {
  const fields = new Map<number, Field[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (size: number): Buffer => bytes.subarray(at, (at += size));
  while (at < bytes.length) {
    const tag = Number(varint());
    const kind = tag & 7;
    const field = kind === 0 ? varint() : kind === 1 ? take(8) : kind === 5 ? take(4) : take(Number(varint()));
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), field]);
  }
  return fields;
}

const messagesIn = (bytes: Buffer, field: number): Buffer[] => (fieldsOf(bytes).get(field) ?? []) as Buffer[];
const textIn = (bytes: Buffer, field: number): string => messagesIn(bytes, field)[0]?.toString('utf8') ?? '';
const hexIn = (bytes: Buffer, field: number): string => messagesIn(bytes, field)[0]?.toString('hex') ?? '';

/** opentelemetry/proto/common/v1: KeyValue is key (1) and value (2), which is text (1), a number (3) or a double (4). */
function attributesIn(bytes: Buffer, field: number): Record<string, string | number> {
  return Object.fromEntries(
    messagesIn(bytes, field).map((pair) => {
      const value = fieldsOf(messagesIn(pair, 2)[0] ?? Buffer.alloc(0));
      const [text] = value.get(1) ?? [];
      const [double] = value.get(4) ?? [];
      const number = Buffer.isBuffer(double) ? double.readDoubleLE() : Number(value.get(3)?.[0] ?? NaN);
      return [textIn(pair, 1), Buffer.isBuffer(text) ? text.toString('utf8') : number];
    }),
  );
}

/** opentelemetry/proto/trace/v1: request › resource spans (1) › resource (1), scope spans (2) › spans (2). */
function spansIn(body: Buffer): CollectedSpan[] {
  return messagesIn(body, 1).flatMap((ofResource) => {
    const resource = attributesIn(messagesIn(ofResource, 1)[0] ?? Buffer.alloc(0), 1);
    return messagesIn(ofResource, 2)
      .flatMap((ofScope) => messagesIn(ofScope, 2))
      .map((span) => ({
        traceId: hexIn(span, 1),
        spanId: hexIn(span, 2),
        parentId: hexIn(span, 4),
        name: textIn(span, 5),
        attributes: attributesIn(span, 9),
        // the status (15) has a code (3) of 2
        isFailed: messagesIn(span, 15).some((status) => fieldsOf(status).get(3)?.[0] === 2n),
        resource,
      }));
  });
}
