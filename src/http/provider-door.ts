/**
 * What all doors for providers have in common: an address that nobody can guess, bodies of any type
 * as bytes up to a size, refusals that are counted and logged.
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Context } from './api.js';
import { ApiError } from './problems.js';

/** Refusals at addresses that name no connection of ours are counted under this. */
export const NO_CONNECTION = '-';

/** Whom a request is for, by its address. */
export interface Addressee {
  readonly connectionId: string;
  readonly maxBytes: number;
}

/**
 * Makes an instance a door: to be called before its routes, on a plugin of its own.
 *
 * @param addressed throws `unknownAddress()` where the address was never given out
 * @returns whom a request of this instance is for
 */
export function providerDoor<Found extends Addressee>(
  app: FastifyInstance,
  context: Context,
  addressed: (request: FastifyRequest) => Found,
): (request: FastifyRequest) => Found {
  const addressees = new WeakMap<FastifyRequest, Found>();
  const addresseeOf = (request: FastifyRequest): Found => {
    const found = addressees.get(request);
    if (!found) throw new Error('a body was read before its address was checked');
    return found;
  };
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (request: FastifyRequest, payload: IncomingMessage) =>
    read(request, payload, addresseeOf(request).maxBytes),
  );
  app.addHook('onRequest', (request, _reply, done) => {
    addressees.set(request, addressed(request));
    // Whatever a provider calls its content, even by no valid name, is taken as bytes.
    request.headers = { 'content-type': undefined };
    done();
  });
  app.setErrorHandler((error, request, _reply) => {
    count(context, request, error);
    throw error;
  });
  return addresseeOf;
}

/** Everything wrong with the address looks the same from outside. */
export function unknownAddress(): ApiError {
  return new ApiError({ code: 'route_not_found', detail: 'There is nothing at this address.' });
}

/** What came, as it came. Header names are in lower case. */
export function received(request: FastifyRequest): {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
} {
  const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  return { headers: headersOf(request.raw), body };
}

const REFUSALS = {
  forged: {
    code: 'forged_notification',
    detail: 'Its signature is not by the provider, or not for this address.',
  },
  foreign: {
    code: 'foreign_notification',
    detail: 'The provider sent it, but about another account than the one at this address.',
  },
  unverifiable: {
    code: 'unverifiable_notification',
    detail: 'It cannot be verified at the moment. Send it again later.',
  },
} as const;

/** Logs why, and tells the caller no more than it needs. */
export function refusal(
  request: FastifyRequest,
  { kind, reason }: { readonly kind: keyof typeof REFUSALS; readonly reason: string },
  about: { readonly connectionId: string; readonly paymentId?: string },
): ApiError {
  const { connectionId, paymentId } = about;
  request.log.warn({ connectionId, paymentId, verdict: kind, reason }, 'notification refused');
  return new ApiError(REFUSALS[kind]);
}

async function read(
  request: FastifyRequest,
  payload: IncomingMessage,
  maxBytes: number,
): Promise<Buffer> {
  if (Number(request.raw.headers['content-length'] ?? 0) > maxBytes) throw oversized();
  const chunks: Buffer[] = [];
  let size = 0;
  // Left open when it gets too long: a socket that is destroyed cannot carry the refusal.
  const arriving = payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const chunk of arriving) {
    size += chunk.length;
    if (size > maxBytes) throw oversized();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function oversized(): ApiError {
  return new ApiError({
    code: 'payload_too_large',
    detail: 'The notification is larger than any of this provider.',
    headers: { connection: 'close' },
  });
}

type RefusalReason = 'unknown_url' | 'oversized' | 'forged' | 'foreign' | 'malformed';

const REFUSAL_REASONS: Readonly<Record<string, RefusalReason>> = {
  route_not_found: 'unknown_url',
  payload_too_large: 'oversized',
  forged_notification: 'forged',
  foreign_notification: 'foreign',
  invalid_request: 'malformed',
};

/** Counted alongside: what is refused must cost nothing more, and no store that is down. */
function count(
  { store, connections, background }: Context,
  request: FastifyRequest,
  error: unknown,
) {
  const reason = error instanceof ApiError ? REFUSAL_REASONS[error.problem.code] : undefined;
  if (reason === undefined) return;
  const { connectionId = '' } = request.params as { connectionId?: string };
  const known = connections.get(connectionId) ? connectionId : NO_CONNECTION;
  background.run('counting a refused notification', () =>
    store.inbox.countRefused({ connectionId: known, reason }),
  );
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, [value].flat().join(', ')]],
    ),
  );
}
