import { ioOf, trafficOf } from './machine.metrics.js';

const NETWORK = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 456896 5592 0 0 0 0 0 0 456896 5592 0 0 0 0 0 0
  eth0:12576181074 405492 0 0 0 0 0 0 62700911 350677 0 0 0 0 0 0
  eth1: 1 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0
`;

describe('what Linux tells of the machine', () => {
  it('is what the disk read and wrote for the process, not what came from the cache', () => {
    const text = 'rchar: 6976\nwchar: 12\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 1\n';

    expect(ioOf(text)).toEqual({ read: 4096, write: 8192 });
  });

  it('is what all interfaces received and sent, but for loopback', () => {
    expect(trafficOf(NETWORK)).toEqual({ received: 12_576_181_075, sent: 62_700_913 });
  });

  it('is nothing where it is not told, and none where there is no network', () => {
    expect(ioOf('')).toBeUndefined();
    expect(trafficOf('')).toBeUndefined();
    expect(trafficOf(NETWORK.split('\n').slice(0, 3).join('\n'))).toEqual({ received: 0, sent: 0 });
  });
});
