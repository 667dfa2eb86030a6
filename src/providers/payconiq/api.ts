/** One call to Payconiq: authenticated, signed answers verified, outcomes classified. */
import { randomToken } from '../../transport/digest.js';
import { redactText } from '../../transport/redact.js';
import {
  classify,
  unexpectedAnswer,
  type Answer,
  type Classified,
} from '../../transport/classify.js';
import type { HttpClient, HttpRequest } from '../../transport/http.js';
import type { KeySource } from '../../transport/jws.js';
import type { NotSent, Outcome } from '../../domain/outcome.js';
import type { Problem } from '../../domain/problem.js';
import { authenticator, verifySignature } from './auth.js';
import type { PayconiqSettings } from './config.js';
import { ERRORS, errorMeaning, isDocumented, type ErrorTable } from './mapping.js';
import { errorAnswer, parseBody } from './wire.js';

const KIB = 1024;
const MIB = 1024 * KIB;
/** A report's page has up to 10,000 rows, of some 1,400 bytes where their texts are long. */
const MAX_RESPONSE_BYTES = {
  payment: 64 * KIB,
  search: 4 * MIB,
  refund: 64 * KIB,
  report: 16 * MIB,
} as const;

export interface Call {
  readonly method: HttpRequest['method'];
  readonly path: string;
  readonly query?: string;
  readonly body?: unknown;
  /** At most 64 characters; refunds alone take one. @see payconiq.txt L11258 */
  readonly idempotencyKey?: string;
  readonly size: keyof typeof MAX_RESPONSE_BYTES;
  readonly connection: HttpRequest['connection'];
  /** Epoch milliseconds by which the whole exchange has to be over. */
  readonly deadlineMs: number;
  readonly latestWriteAtMs?: number;
}

export type CallApi = (call: Call) => Promise<Classified>;

export function payconiqApi(
  settings: PayconiqSettings,
  resources: { readonly http: HttpClient; readonly keys: KeySource; now(): number },
): CallApi {
  const { http, keys, now } = resources;
  const authenticate = authenticator(settings);
  const isSigned = settings.signing !== undefined;

  return async (call) => {
    const body = encode(call.body);
    const signable = { path: call.path, body, nowMs: now(), jti: randomToken(16) };
    const proof = await authenticate(signable).catch(() => undefined);
    if (proof === undefined) return cannotSign();
    const exchange = await http.send({
      method: call.method,
      url: `${settings.apiBaseUrl}${call.path}${call.query ? `?${call.query}` : ''}`,
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        ...(call.idempotencyKey !== undefined && { 'idempotency-key': call.idempotencyKey }),
        ...proof,
      },
      ...(call.body !== undefined && { body }),
      timeoutMs: Math.max(call.deadlineMs - now(), 1),
      maxResponseBytes: MAX_RESPONSE_BYTES[call.size],
      connection: call.connection,
      ...(call.latestWriteAtMs !== undefined && { latestWriteAtMs: call.latestWriteAtMs }),
    });
    const classified = classify(exchange, now());
    // Even a 429 counts only if Payconiq can be shown to have said it.
    if (!isSigned || exchange.kind !== 'answered' || exchange.status >= 500) return classified;
    const doubt = await doubtOf(exchange, keys);
    return doubt === undefined ? classified : unverified(doubt);
  };
}

/** Refusals of our own signature come without one (L11945-11957); all else must be signed. */
async function doubtOf(answer: Answer, keys: KeySource): Promise<string | undefined> {
  const jws = answer.headers['signature'];
  if (jws === undefined) return refusesUs(answer) ? undefined : 'it carries no signature';
  const verdict = await verifySignature(jws, answer.body, keys);
  return verdict.kind === 'valid' ? undefined : verdict.reason;
}

function cannotSign(): NotSent {
  const message = 'nothing was sent: the configured private key is no usable P-256 key';
  return { kind: 'not_sent', cause: 'rejected', problem: { code: 'unauthorized', message } };
}

function unverified(doubt: string): Outcome & { kind: 'unknown' } {
  return {
    kind: 'unknown',
    problem: { code: 'unverified_answer', message: `the answer is not believed: ${doubt}` },
  };
}

function encode(body: unknown): Uint8Array {
  return body === undefined ? new Uint8Array() : new TextEncoder().encode(JSON.stringify(body));
}

/** What a refusal (4xx) means; `ask` where the payment's details have to tell. */
export type Refusal =
  | Extract<Outcome, { kind: 'not_sent' | 'declined' | 'unknown' }>
  | { readonly kind: 'ask'; readonly problem: Problem };

/**
 * Reads a 4xx by its documented code and status, of payments unless another table is given. 401 and
 * 403 refuse us whatever else they say.
 */
export function refusalOf(answer: Answer, table: ErrorTable = ERRORS): Refusal {
  const error = parseBody(errorAnswer, answer.body);
  const providerCode = refusesUs(answer) ? ACCESS_CODES[answer.status] : error?.code;
  const meaning = providerCode === undefined ? undefined : errorMeaning(providerCode, table);
  const isFitting = answer.status >= 400 && (meaning?.status ?? answer.status) === answer.status;
  if (providerCode === undefined || !meaning || !isFitting) {
    return unexpectedAnswer(`Payconiq answered ${describe(answer.status, error?.code)}`);
  }
  const message = `Payconiq refused: ${providerCode} ${redactText(error?.message ?? '')}`.trim();
  switch (meaning.as) {
    case 'rejected':
      return {
        kind: 'not_sent',
        cause: 'rejected',
        problem: { code: meaning.code, providerCode, message },
      };
    case 'declined':
      return {
        kind: 'declined',
        facts: [],
        problem: { code: meaning.code, providerCode, message },
      };
    case 'later':
      return {
        kind: 'not_sent',
        cause: 'throttled',
        problem: { code: 'throttled', providerCode, message },
      };
    case 'not_yet':
      return {
        kind: 'not_sent',
        cause: 'not_yet',
        problem: { code: meaning.code, providerCode, message },
      };
    case 'ask':
    case 'unknown':
      return { kind: meaning.as, problem: { code: meaning.code, providerCode, message } };
  }
}

/** Where there is no payment whose details could tell: then the outcome is unknown. */
export function withoutAsk(refusal: Refusal): Exclude<Refusal, { kind: 'ask' }> {
  return refusal.kind === 'ask' ? { kind: 'unknown', problem: refusal.problem } : refusal;
}

const ACCESS_CODES: Readonly<Record<number, string>> = {
  401: 'UNAUTHORIZED',
  403: 'ACCESS_DENIED',
};

/** Whether our credentials were refused: then nothing was looked at, and no signature is due. */
function refusesUs({ status, body }: Answer): boolean {
  const { code = '' } = parseBody(errorAnswer, body) ?? {};
  const isOtherRefusal = isDocumented(code) && !Object.values(ACCESS_CODES).includes(code);
  return ACCESS_CODES[status] !== undefined && !isOtherRefusal;
}

function describe(status: number, code: string | undefined): string {
  return `${status}${code === undefined ? ' without an error code' : ` ${redactText(code)}`}`;
}
