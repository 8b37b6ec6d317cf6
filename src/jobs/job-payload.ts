import { isRequestId } from '../common/request-id.js';
import type { Cause } from '../database/transactions.js';

/**
 * Where a payload says what its job came from. A copy from before there was such a thing reads its own names and minds no
 * other; a payload of its making says nothing.
 */
const CAUSE = '_cause';

/** The payload as it is stored, with its cause beside the data. */
export function storedPayload(payload: object, { requestId }: Cause, traceparent?: string): string {
  const cause = { request_id: requestId ?? undefined, traceparent };
  const isKnown = requestId != null || traceparent !== undefined;
  return JSON.stringify(isKnown ? { ...payload, [CAUSE]: cause } : payload);
}

/** What a stored payload says of its cause. It may be of any version's making, or an operator's: what is not an id is nothing. */
export function causeIn(payload: unknown): Cause {
  const cause: unknown = isObject(payload) ? payload[CAUSE] : undefined;
  const requestId: unknown = isObject(cause) ? cause['request_id'] : undefined;
  return typeof requestId === 'string' && isRequestId(requestId) ? { requestId } : {};
}

/** The span that a stored payload goes on with; whoever reads it makes sure that it is one. */
export function traceparentIn(payload: unknown): string | undefined {
  const cause: unknown = isObject(payload) ? payload[CAUSE] : undefined;
  const traceparent: unknown = isObject(cause) ? cause['traceparent'] : undefined;
  return typeof traceparent === 'string' ? traceparent : undefined;
}

/** A stored payload without its cause. */
export function dataIn(payload: unknown): unknown {
  if (!isObject(payload)) return payload;
  const { [CAUSE]: _, ...data } = payload;
  return data;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
