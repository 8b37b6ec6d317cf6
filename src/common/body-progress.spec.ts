import type { Request, Response } from 'express';
import { EventEmitter } from 'node:events';
import { bodyProgress } from './body-progress.js';

const MIN_BYTES = 100;
const NOW = new Date('2026-11-21T12:00:00.000Z');

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** What of Express is asked, and what was done to it. */
function exchange({
  headers = { 'content-length': '1000' },
  headersSent = false,
}: { headers?: Record<string, string>; headersSent?: boolean } = {}) {
  const socket = { bytesRead: 0 };
  const request = { headers, socket, id: 'r1', complete: false, readableLength: 0, destroy: jest.fn() };
  const answer: { status?: number; body?: unknown; headers: Record<string, string> } = { headers: {} };
  const response = Object.assign(new EventEmitter(), {
    headersSent,
    set(name: string, value: string) {
      answer.headers[name] = value;
      return response;
    },
    status(status: number) {
      answer.status = status;
      return response;
    },
    json(body: unknown) {
      answer.body = body;
      return response;
    },
  });
  const next = jest.fn();
  bodyProgress(MIN_BYTES, { now: () => NOW })(request as unknown as Request, response as unknown as Response, next);
  return { request, response, answer, next, socket };
}

/** The second in which it is given up when so many bytes come in each; undefined when it never is. */
function givenUpAt({ answer, socket }: ReturnType<typeof exchange>, bytes: readonly number[]): number | undefined {
  for (const [second, count] of bytes.entries()) {
    socket.bytesRead += count;
    jest.advanceTimersByTime(1000);
    if (answer.status !== undefined) return second + 1;
  }
  return undefined;
}

const seconds = (count: number, bytes: number): number[] => Array<number>(count).fill(bytes);

describe('bodyProgress', () => {
  it.each<[string, number | undefined, number[]]>([
    ['as much as it must, at once each second', undefined, seconds(60, MIN_BYTES)],
    ['as much as it must within five seconds', undefined, seconds(60, MIN_BYTES / 5)],
    [
      'all of it in every fifth second',
      undefined,
      Array.from({ length: 60 }, (_, at) => (at % 5 === 4 ? MIN_BYTES : 0)),
    ],
    ['nothing', 5, seconds(60, 0)],
    ['one byte a second', 5, seconds(60, 1)],
    ['one byte too few', 5, [20, 20, 20, 20, 19]],
    ['much, and then nothing', 6, [5000, ...seconds(60, 0)]],
    ['enough for a minute, and then nothing', 65, [...seconds(60, MIN_BYTES), ...seconds(60, 0)]],
    ['all of it in every sixth second', 5, Array.from({ length: 60 }, (_, at) => (at % 6 === 5 ? MIN_BYTES : 0))],
  ])('of a body that brings %s: given up in second %p', (_, expected, bytes) => {
    expect(givenUpAt(exchange(), bytes)).toBe(expected);
  });

  it('answers 408 in the envelope, and ends the connection when the answer is out', () => {
    const given = exchange();

    givenUpAt(given, seconds(5, 0));

    expect(given.answer).toEqual({
      status: 408,
      headers: { Connection: 'close' },
      body: {
        detail: 'The request took too long to arrive',
        error_code: 'REQUEST_TIMEOUT',
        timestamp: NOW.toISOString(),
        request_id: 'r1',
      },
    });
    expect(given.request.destroy).not.toHaveBeenCalled();
    given.response.emit('finish');
    expect(given.request.destroy).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('only ends the connection when an answer is on its way already', () => {
    const given = exchange({ headersSent: true });

    jest.advanceTimersByTime(5000);

    expect(given.request.destroy).toHaveBeenCalledTimes(1);
    expect(given.answer).toEqual({ headers: {} });
  });

  it('does not count the time in which we read too slowly', () => {
    const given = exchange();
    given.request.readableLength = 1;
    expect(givenUpAt(given, seconds(60, 0))).toBeUndefined();

    given.request.readableLength = 0;

    expect(givenUpAt(given, seconds(60, 0))).toBe(5);
  });

  it.each<[string, (given: ReturnType<typeof exchange>) => void]>([
    [
      'the body is there',
      ({ request }) => {
        request.complete = true;
      },
    ],
    [
      'the answer is out or the connection gone',
      ({ response }) => {
        response.emit('close');
      },
    ],
  ])('looks no longer when %s', (_, change) => {
    const given = exchange();
    jest.advanceTimersByTime(3000);

    change(given);

    expect(givenUpAt(given, seconds(60, 0))).toBeUndefined();
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each<[string, Record<string, string>, number]>([
    ['none', {}, 0],
    ['an empty one', { 'content-length': '0' }, 0],
    ['one of a length', { 'content-length': '1' }, 1],
    ['one of chunks', { 'transfer-encoding': 'chunked' }, 1],
  ])('lets the request pass at once, and looks at its body: %s', (_, headers, timers) => {
    const { next } = exchange({ headers });

    expect(next.mock.calls).toEqual([[]]);
    expect(jest.getTimerCount()).toBe(timers);
  });
});
