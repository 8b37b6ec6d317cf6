import cluster, { type Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { pino } from 'pino';
import { Places } from './places.js';

/** A process as its primary sees it; without a pid there never was one. */
class FakeWorker extends EventEmitter {
  readonly process: { pid: number | undefined; kill: jest.Mock };

  constructor(pid: number | undefined) {
    super();
    this.process = { pid, kill: jest.fn(() => this.emit('exit', 0, null)) };
  }

  isConnected(): boolean {
    return false;
  }
}

const EAGAIN = Object.assign(new Error('spawn EAGAIN'), { code: 'EAGAIN' });
const ENOMEM = Object.assign(new Error('spawn ENOMEM'), { code: 'ENOMEM' });

let forks: (FakeWorker | Error)[] = [];
let made: FakeWorker[] = [];
beforeEach(() => {
  made = [];
  jest.useFakeTimers();
  jest.spyOn(cluster, 'fork').mockImplementation(() => {
    const next = forks.shift() ?? new FakeWorker(1);
    if (next instanceof Error) throw next;
    made.push(next);
    return next as unknown as Worker;
  });
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

async function onePlace(): Promise<Places> {
  const places = new Places(1, pino({ level: 'silent' }), () => undefined);
  const started = places.start();
  made[0]?.emit('message', { readiness: { port: 8000 } });
  await started;
  return places;
}

describe('a process that could not be made', () => {
  it.each([
    ['said so later', [new FakeWorker(undefined)]],
    ['said so at once', [ENOMEM]],
  ])('and %s is tried again, and does not keep the others from ending', async (_, refused) => {
    forks = [new FakeWorker(1), ...refused, new FakeWorker(2)];
    const places = await onePlace();

    made[0]?.emit('exit', null, 'SIGKILL');
    jest.runOnlyPendingTimers();
    made.find(({ process: { pid } }) => pid === undefined)?.emit('error', EAGAIN);
    expect(made.some(({ process: { pid } }) => pid === 2)).toBe(false);
    jest.runOnlyPendingTimers();

    expect(made.at(-1)?.process.pid).toBe(2);
    expect(await places.stop()).toBe(true);
  });

  it('lets a first start fail', async () => {
    forks = [EAGAIN];

    await expect(new Places(1, pino({ level: 'silent' }), () => undefined).start()).rejects.toThrow('EAGAIN');
  });

  it('lets the end go on', async () => {
    forks = [new FakeWorker(1), new FakeWorker(undefined)];
    const places = await onePlace();
    made[0]?.emit('exit', null, 'SIGKILL');
    jest.runOnlyPendingTimers();

    const stopped = places.stop();
    made[1]?.emit('error', EAGAIN);

    expect(await stopped).toBe(false);
  });
});
