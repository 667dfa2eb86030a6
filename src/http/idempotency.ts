/** Idempotency-Key: one effect and one answer per key, whatever is repeated. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Timing } from '../domain/timing.js';
import { StoreUnavailable } from '../store/errors.js';
import type { RequestKey, RequestStart } from '../store/requests.js';
import type { Store } from '../store/store.js';
import { sha256Base32, sha256Hex } from '../transport/digest.js';
import { described, errorAnswer, pathOf, sendAnswer, type ApiAnswer } from './answers.js';
import { ApiError } from './problems.js';

export interface OnceOptions {
  readonly store: Store;
  readonly timing: Timing;
  readonly key: string;
  /** `required`: nothing is done while the store is down. `optional`: it is done without it. */
  readonly keeping: 'required' | 'optional';
}

/** What came of it, and whether a repeat is to get the same answer or go on where this one ended. */
export interface Done {
  readonly answer: ApiAnswer;
  readonly isFinal: boolean;
}

/**
 * Does `work` once per client and key, and answers. A repeat gets the same bytes, with
 * `Idempotency-Replayed: true`; 409 while the first is running, until its lease ends; 422 for
 * another request under the same key. Same means: same method and path, and a body of the same
 * JSON value, however its members are ordered. An answer of 500 or above and "not found" are not
 * kept: the key is free again, and its repeat meets the same payment.
 */
export async function answerOnce(
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  options: OnceOptions,
  work: () => Promise<Done>,
): Promise<FastifyReply> {
  const kept: RequestKey = { client: request.clientId, key: options.key };
  const start = await begin(request, options, kept);
  if (start.kind === 'replay') {
    void reply.header('idempotency-replayed', 'true');
    return sendAnswer(reply, start.response);
  }
  refuseUnlessFresh(start);
  const { answer, isFinal } = await work().catch((error: unknown) => failed(error, request));
  if ('token' in start) {
    const ours = { ...kept, token: start.token };
    const keep = isFinal
      ? options.store.requests.complete({ ...ours, response: answer })
      : options.store.requests.release(ours);
    // The effect is there: a store that fails now must not turn the answer into another.
    await keep.catch((error: unknown) =>
      request.log.warn({ error: described(error) }, 'the answer could not be kept'),
    );
  }
  return sendAnswer(reply, answer);
}

function failed(error: unknown, request: FastifyRequest): Done {
  const answer = errorAnswer(error, request);
  return { answer, isFinal: answer.status < 500 && answer.status !== 404 };
}

async function begin(
  request: FastifyRequest,
  { store, timing, keeping }: OnceOptions,
  kept: RequestKey,
): Promise<RequestStart | { readonly kind: 'unkept' }> {
  const fingerprint = fingerprintOf(request);
  try {
    return await store.requests.begin({ ...kept, fingerprint, leaseMs: timing.requestLeaseMs });
  } catch (error) {
    if (keeping === 'optional' && error instanceof StoreUnavailable) return { kind: 'unkept' };
    throw error;
  }
}

/** Of two requests the same only if they ask for the same: method, path, and the body's value. */
export function fingerprintOf(
  request: Pick<FastifyRequest, 'method' | 'url'> & { readonly body?: unknown },
): string {
  const { method, url, body = null } = request;
  return sha256Hex(`${method}\n${pathOf(url)}\n${canonicalJson(body)}`);
}

function refuseUnlessFresh(start: { readonly kind: string; readonly retryAfterMs?: number }): void {
  if (start.kind === 'running') {
    throw new ApiError({
      code: 'request_in_progress',
      detail: 'The first request with this Idempotency-Key has not been answered yet.',
      headers: { 'retry-after': String(Math.ceil((start.retryAfterMs ?? 1_000) / 1_000)) },
    });
  }
  if (start.kind === 'mismatch') {
    throw new ApiError({
      code: 'idempotency_key_reused',
      detail:
        'This Idempotency-Key was used for a request to another address or with another body.',
    });
  }
}

/** Names a client's key without showing it, in `length` characters of `a-z2-7`. */
export function keyDigest(from: { clientId: string; key: string }, length: number): string {
  return sha256Base32(JSON.stringify([from.clientId, from.key]), length);
}

/** JSON with its members sorted. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

const KEY_DIGEST_LENGTH = 32;

/** Answers a command: once per key where there is one, and also while the store is down. */
export async function answerCommand(
  { store, timing }: Pick<OnceOptions, 'store' | 'timing'>,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  work: (options: { readonly idempotencyKey?: string }) => Promise<Done>,
): Promise<FastifyReply> {
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string') return sendAnswer(reply, (await work({})).answer);
  const idempotencyKey = keyDigest({ clientId: request.clientId, key }, KEY_DIGEST_LENGTH);
  return answerOnce({ request, reply }, { store, timing, key, keeping: 'optional' }, () =>
    work({ idempotencyKey }),
  );
}
