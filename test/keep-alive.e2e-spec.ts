import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, startApp, type TestApp } from './support/app.js';

let app: TestApp;
afterEach(() => app.close());

/** A connection as a balancer keeps it. */
function keep(): { ask(): Promise<string>; readonly isClosed: () => boolean } {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(app.url).port) });
  let [received, closed] = ['', false];
  socket.on('data', (chunk) => (received += chunk.toString()));
  socket.on('close', () => (closed = true));
  socket.on('error', () => undefined);
  return {
    async ask() {
      received = '';
      socket.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
      return eventually('the answer is there', async () => (received.endsWith('}') ? received : closed && 'closed'));
    },
    isClosed: () => closed,
  };
}

describe('a connection that a balancer keeps', () => {
  it('is kept longer than a balancer keeps it, and longer than the headers of one request may take', async () => {
    app = await startApp();
    expect(app.app.getHttpServer().keepAliveTimeout).toBe(65_000);
    const connection = keep();
    expect(await connection.ask()).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*Keep-Alive: timeout=65\r\n/);

    // longer than headersTimeout, which some versions of Node counted from the end of the request before
    await sleep(app.app.getHttpServer().headersTimeout + 2_000);

    expect(connection.isClosed()).toBe(false);
    expect(await connection.ask()).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it('is closed when it has waited as long as KEEP_ALIVE_SECONDS says', async () => {
    app = await startApp({ KEEP_ALIVE_SECONDS: '1' });
    const connection = keep();

    expect(await connection.ask()).toMatch(/\r\nKeep-Alive: timeout=1\r\n/);

    await eventually('it is closed', async () => connection.isClosed());
  });
});
