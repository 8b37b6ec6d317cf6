import { causeIn, dataIn, storedPayload } from './job-payload.js';

const ID = '3f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b';

describe('a stored payload', () => {
  it('keeps the data where every version looks for it, and the cause beside it', () => {
    const stored: unknown = JSON.parse(storedPayload({ message_id: 'a', request_id: 'of a link' }, { requestId: ID }));

    expect(stored).toEqual({ message_id: 'a', request_id: 'of a link', _cause: { request_id: ID } });
    expect(causeIn(stored)).toEqual({ requestId: ID });
    expect(dataIn(stored)).toEqual({ message_id: 'a', request_id: 'of a link' });
  });

  it.each([{}, { requestId: null }, { requestId: undefined }])('is as it always was without a request: %j', (cause) => {
    expect(storedPayload({ round: 1 }, cause)).toBe('{"round":1}');
  });

  it.each([
    ['of a version before', { message_id: 'a' }],
    ['of nothing', undefined],
    ['null', null],
    ['a list', [{ _cause: { request_id: ID } }]],
    ['a text', ID],
    ['a cause that is a text', { _cause: ID }],
    ['a cause that is null', { _cause: null }],
    ['an id that is a number', { _cause: { request_id: 7 } }],
    ['an id with a line of its own', { _cause: { request_id: `${ID}\n{"level":"ERROR"}` } }],
    ['an id behind a line of its own', { _cause: { request_id: `x\n${ID}` } }],
    ['an id of 10 KB', { _cause: { request_id: ID.repeat(280) } }],
    ['an address', { _cause: { request_id: 'ada@example.com' } }],
  ])('names no request when it is %s', (_, stored) => {
    expect(causeIn(stored)).toEqual({});
  });

  it.each([undefined, null, 'text', [1]])('that is no object is left alone: %j', (stored) => {
    expect(dataIn(stored)).toBe(stored);
  });
});
