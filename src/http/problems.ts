/** Errors as RFC 9457 problem details: one table of codes, one way from an error to its answer. */
import { HoldfastError } from '../client/errors.js';
import {
  PROBLEM_CODES,
  type ProblemCode,
  type Violation,
  violationWords,
} from '../domain/problem.js';
import { InvalidCursor, StoreUnavailable } from '../store/errors.js';

/** What can be wrong with a call besides what can be wrong with a payment. */
const CALL_PROBLEMS = {
  unauthenticated: { status: 401, title: 'The API key is missing or unknown.' },
  forbidden: { status: 403, title: 'The API key lacks the scope that this needs.' },
  route_not_found: { status: 404, title: 'There is nothing at this address.' },
  method_not_allowed: { status: 405, title: 'This address does not take this method.' },
  request_timeout: { status: 408, title: 'The request did not arrive in time.' },
  request_in_progress: {
    status: 409,
    title: 'The first request with this Idempotency-Key is still running.',
  },
  payload_too_large: { status: 413, title: 'The body is too large.' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json.' },
  misdirected_request: { status: 421, title: 'An open server answers to its own name only.' },
  idempotency_key_reused: {
    status: 422,
    title: 'This Idempotency-Key was used for another request.',
  },
  unusable_code: { status: 422, title: 'The provider has no such code.' },
  headers_too_large: { status: 431, title: 'The header fields are too large.' },
  forged_notification: { status: 401, title: 'The notification is not from the provider.' },
  foreign_notification: { status: 403, title: 'The notification is about another account.' },
  unverifiable_notification: {
    status: 503,
    title: 'The notification cannot be verified now; send it again.',
  },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

/** Codes of payments as HTTP says them; trouble at the provider is a bad gateway, not our caller's. */
const PAYMENT_STATUS = {
  invalid_request: 400,
  unsupported: 422,
  not_found: 404,
  conflict: 409,
  operation_in_flight: 409,
  unauthorized: 502,
  provider_refused: 502,
  throttled: 503,
  unreachable: 502,
  too_late: 409,
  not_started_in_time: 409,
  declined_by_payer: 409,
  declined_by_issuer: 409,
  declined_by_provider: 409,
  already_voided: 409,
  not_pending: 409,
  no_answer: 502,
  unverified_answer: 502,
  unexpected_answer: 502,
  not_available_yet: 409,
  not_allowed: 409,
  not_possible: 409,
  amount_unavailable: 409,
  withdrawn: 409,
  ambiguous_refusal: 409,
  key_conflict: 409,
  window_closed: 409,
  store_unavailable: 503,
  orchestrator_unavailable: 503,
  internal: 500,
} as const satisfies Record<ProblemCode, number>;

export type ApiCode = ProblemCode | keyof typeof CALL_PROBLEMS;

/** How long a caller is asked to wait when we cannot serve, in seconds. */
const RETRY_AFTER_SECONDS = 5;

/** A refusal with everything its answer says. */
export interface ApiProblem {
  readonly code: ApiCode;
  readonly detail: string;
  readonly violations?: readonly Violation[];
  /** Header fields of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the problem. */
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** Thrown by routes to refuse a call. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly problem: ApiProblem;

  constructor(problem: ApiProblem, options?: ErrorOptions) {
    super(problem.detail, options);
    this.problem = problem;
  }
}

export function refusedFields(violations: readonly Violation[]): ApiError {
  const detail = violationWords(violations);
  return new ApiError({ code: 'invalid_request', detail, violations });
}

/** The problem as the body of an answer. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ApiCode;
  readonly detail: string;
  readonly instance?: string;
  readonly violations?: readonly Violation[];
}

export function problemStatus(code: ApiCode): number {
  return isCallProblem(code) ? CALL_PROBLEMS[code].status : PAYMENT_STATUS[code];
}

/** @param instance the path that was called; left out where it is a secret */
export function problemBody(problem: ApiProblem, instance?: string): ProblemBody {
  const { code, detail, violations, extensions } = problem;
  return {
    type: `urn:holdfast:problem:${code}`,
    title: isCallProblem(code) ? CALL_PROBLEMS[code].title : PROBLEM_CODES[code],
    status: problemStatus(code),
    code,
    detail,
    ...(instance !== undefined && { instance }),
    ...(violations && violations.length > 0 && { violations }),
    ...extensions,
  };
}

export function problemHeaders({ code, headers }: ApiProblem): Readonly<Record<string, string>> {
  const unavailable = problemStatus(code) === 503;
  return {
    ...(unavailable && { 'retry-after': String(RETRY_AFTER_SECONDS) }),
    ...(code === 'unauthenticated' && { 'www-authenticate': 'Bearer realm="holdfast"' }),
    ...headers,
  };
}

function isCallProblem(code: ApiCode): code is keyof typeof CALL_PROBLEMS {
  return Object.hasOwn(CALL_PROBLEMS, code);
}

/** What to tell the caller of any error. What we do not know is `internal`, without its message. */
export function problemOf(error: unknown): ApiProblem {
  if (error instanceof ApiError) return error.problem;
  if (error instanceof HoldfastError) {
    const { code, message, violations } = error.problem;
    return { code, detail: message, ...(violations && { violations }) };
  }
  if (error instanceof StoreUnavailable) {
    return { code: 'store_unavailable', detail: 'The database cannot serve now.' };
  }
  if (error instanceof InvalidCursor) {
    return refusedFields([{ field: 'cursor', rule: 'is no cursor of this list' }]).problem;
  }
  return problemOfFramework(error);
}

const FRAMEWORK_PROBLEMS: Readonly<Record<string, ApiProblem>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'payload_too_large',
    detail: 'The body is larger than this address takes.',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'unsupported_media_type',
    detail: 'Send the body as application/json.',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: 'invalid_request', detail: 'The body is empty.' },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'invalid_request', detail: 'The body is not valid JSON.' },
};

function problemOfFramework(error: unknown): ApiProblem {
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  const known = typeof code === 'string' ? FRAMEWORK_PROBLEMS[code] : undefined;
  if (known) return known;
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return { code: 'invalid_request', detail: 'The request is not well-formed.' };
  }
  return { code: 'internal', detail: 'Something failed inside Holdfast; it has been logged.' };
}
