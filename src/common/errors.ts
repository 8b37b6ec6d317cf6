/** Messages by the name of the request field they are about. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>;

export interface RefusalDetails {
  /** A sentence for a person; replaces the refusal's standard one. */
  readonly detail?: string;
  readonly fieldErrors?: FieldErrors;
  readonly headers?: Readonly<Record<string, string>>;
  /** Only for the log. */
  readonly cause?: unknown;
}

/** Every way in which Forecourt says no: a status, a stable code and a sentence. The envelope is made from it. */
export class AppError extends Error {
  readonly detail: string;
  readonly fieldErrors: FieldErrors | undefined;
  readonly headers: Readonly<Record<string, string>>;

  protected constructor(
    readonly status: number,
    readonly code: string,
    standardDetail: string,
    details: RefusalDetails,
  ) {
    super(details.detail ?? standardDetail, { cause: details.cause });
    this.name = new.target.name;
    this.detail = this.message;
    this.fieldErrors = details.fieldErrors;
    this.headers = details.headers ?? {};
  }
}

/** A class made by {@link refusal}; the static side is what the API document lists. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  new (details?: RefusalDetails): AppError;
}

/** The base of one refusal: `export class LeadNotFound extends refusal(404, 'LEAD_NOT_FOUND', 'Lead not found') {}` */
export function refusal(status: number, code: string, detail: string): Refusal {
  return class extends AppError {
    static readonly status = status;
    static readonly code = code;
    static readonly detail = detail;

    constructor(details: RefusalDetails = {}) {
      super(status, code, detail, details);
    }
  };
}

export class MalformedRequest extends refusal(400, 'MALFORMED_REQUEST', 'The request could not be understood') {}
export class InvalidFields extends refusal(400, 'VALIDATION_ERROR', 'Some fields are missing or invalid') {}
export class UnprocessableFields extends refusal(422, 'VALIDATION_ERROR', 'Some fields are missing or invalid') {}
export class RouteNotFound extends refusal(404, 'ROUTE_NOT_FOUND', 'There is nothing at this address') {}
export class MethodNotAllowed extends refusal(405, 'METHOD_NOT_ALLOWED', 'This address does not support the method') {}
export class RequestTimeout extends refusal(408, 'REQUEST_TIMEOUT', 'The request took too long to arrive') {}
export class BodyTooLarge extends refusal(413, 'BODY_TOO_LARGE', 'The request body is too large') {}
export class UnsupportedMediaType extends refusal(
  415,
  'UNSUPPORTED_MEDIA_TYPE',
  'The media type of the request is not supported',
) {}
export class TooManyRequests extends refusal(429, 'RATE_LIMITED', 'Too many requests; try again later') {}
export class InternalError extends refusal(
  500,
  'INTERNAL_ERROR',
  'Something went wrong on our side; nothing about it was your fault',
) {}
export class ServiceUnavailable extends refusal(
  503,
  'SERVICE_UNAVAILABLE',
  'The service is not available right now; try again shortly',
) {}
