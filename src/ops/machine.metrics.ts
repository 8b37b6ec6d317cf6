import { Injectable } from '@nestjs/common';
import { readFileSync } from 'node:fs';
import { Metrics } from '../common/metrics.js';

/** Linux tells them; elsewhere they are not there. */
const OWN_IO = '/proc/self/io';
const OWN_NETWORK = '/proc/self/net/dev';
/** Columns of bytes in it. */
const [RECEIVED, SENT] = [0, 8];

/** What goes to and from the disk and the network, beside what Node itself tells of the process. */
@Injectable()
export class MachineMetrics {
  constructor(metrics: Metrics) {
    if (!metrics.isOn) return;
    const disk = ioOf(contentOf(OWN_IO));
    if (disk !== undefined) {
      const name = 'forecourt_disk_bytes_total';
      const help = 'Bytes that this process had the disk read and write, the cache of pages aside';
      metrics.total(name, help, 'direction', () => ioOf(contentOf(OWN_IO)) ?? disk);
    }
    const network = trafficOf(contentOf(OWN_NETWORK));
    if (network !== undefined) {
      const name = 'forecourt_network_bytes_total';
      const help = 'Bytes that came to and left this container or machine, loopback aside';
      metrics.total(name, help, 'direction', () => trafficOf(contentOf(OWN_NETWORK)) ?? network);
    }
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Of proc_pid_io(5). */
export function ioOf(text: string): Record<'read' | 'write', number> | undefined {
  const [read, write] = ['read_bytes', 'write_bytes'].map(
    (name) => new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1],
  );
  return read === undefined || write === undefined ? undefined : { read: Number(read), write: Number(write) };
}

/** The sum over all interfaces of proc_pid_net(5). */
export function trafficOf(text: string): Record<'received' | 'sent', number> | undefined {
  if (!text.includes('Receive')) return undefined;
  const lines = text.split('\n').flatMap((line) => {
    const [, name, numbers = ''] = /^\s*([^:\s]+):\s*(.+)$/.exec(line) ?? [];
    return name === undefined || name === 'lo' ? [] : [numbers.trim().split(/\s+/).map(Number)];
  });
  const sumOf = (column: number): number => lines.reduce((sum, numbers) => sum + (numbers[column] ?? 0), 0);
  return { received: sumOf(RECEIVED), sent: sumOf(SENT) };
}
