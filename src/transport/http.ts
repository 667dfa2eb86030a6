/**
 * The only place that speaks HTTP to the outside. It makes one attempt and says what is known of it;
 * it never retries, never follows a redirect, and talks only to the origins it was made for.
 */
import { Agent, Client, type Dispatcher } from 'undici';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** The whole exchange, connecting included. */
  readonly timeoutMs: number;
  /** A longer answer is cut off and counts as unusable. */
  readonly maxResponseBytes: number;
  /**
   * `fresh` for calls that move money without an idempotency key: a kept connection may have gone
   * stale, which would make an outcome needlessly unknown.
   */
  readonly connection: 'fresh' | 'kept';
  /** Epoch milliseconds; when the connection is ready later than this, nothing is written. */
  readonly latestWriteAtMs?: number;
}

export type Exchange =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** Lower-case names; repeated headers joined by a comma. */
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Uint8Array;
    }
  /** Proven: not one byte of the request was written. */
  | {
      readonly kind: 'not_sent';
      readonly cause: 'unreachable' | 'too_late';
      readonly reason: string;
    }
  /** Bytes may have been written and no whole answer came. */
  | { readonly kind: 'unknown'; readonly reason: string };

export interface HttpClient {
  /** Never rejects for what the wire does; throws only for an origin that is not configured. */
  send(request: HttpRequest): Promise<Exchange>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 3_000;

/**
 * @param options.origins the only origins that may be called, e.g. `https://api.payconiq.com`
 * @param options.now clock for the late-send refusal, epoch milliseconds
 */
export function createHttpClient(options: {
  readonly origins: readonly string[];
  readonly now?: () => number;
}): HttpClient {
  const origins = new Set(options.origins.map((origin) => new URL(origin).origin));
  const now = options.now ?? Date.now;
  const limits = {
    connect: { timeout: CONNECT_TIMEOUT_MS },
    pipelining: 1,
    // The exchange has one limit of its own; undici's coarser ones only back it up.
    headersTimeout: 120_000,
    bodyTimeout: 120_000,
  };
  const kept = new Agent(limits);

  return {
    async send(request) {
      const { origin } = new URL(request.url);
      if (!origins.has(origin)) throw new Error(`transport: ${origin} is not a configured origin`);
      if (request.connection === 'kept') return exchange(kept, request, now);
      const client = new Client(origin, limits);
      try {
        return await exchange(client, request, now);
      } finally {
        void client.destroy();
      }
    },
    close: () => kept.destroy(),
  };
}

class TooLate extends Error {}
class TimedOut extends Error {}
class TooLong extends Error {}

/**
 * One attempt. undici calls `onRequestStart` when the connection stands and right before it writes:
 * a failure without that call proves that nothing was sent.
 */
function exchange(
  dispatcher: Dispatcher,
  request: HttpRequest,
  now: () => number,
): Promise<Exchange> {
  const { promise, resolve } = withResolvers<Exchange>();
  const url = new URL(request.url);
  const chunks: Uint8Array[] = [];
  let started: Dispatcher.DispatchController | undefined;
  let head: { status: number; headers: Record<string, string> } | undefined;
  let receivedBytes = 0;
  let isOver = false;

  const timer = setTimeout(() => {
    isOver = true;
    started?.abort(new TimedOut());
    resolve(failed(new TimedOut(), started !== undefined, request.timeoutMs));
  }, request.timeoutMs);

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(controller) {
      // Already answered as not sent while connecting, so it must stay unsent.
      if (isOver) {
        controller.abort(new TimedOut());
        return;
      }
      if (request.latestWriteAtMs !== undefined && now() > request.latestWriteAtMs) {
        controller.abort(new TooLate());
        return;
      }
      started = controller;
    },
    onResponseStart(_controller, status, headers) {
      head = { status, headers: flattenHeaders(headers) };
    },
    onResponseData(controller, chunk) {
      receivedBytes += chunk.length;
      if (receivedBytes > request.maxResponseBytes) controller.abort(new TooLong());
      else chunks.push(chunk);
    },
    onResponseEnd() {
      if (head) resolve({ kind: 'answered', ...head, body: Buffer.concat(chunks) });
    },
    onResponseError(_controller, error) {
      resolve(failed(error, started !== undefined, request.timeoutMs));
    },
  };

  try {
    dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method,
        headers: { ...request.headers },
        body: request.body ?? null,
        reset: request.connection === 'fresh',
      },
      handler,
    );
  } catch (error) {
    resolve(failed(error, started !== undefined, request.timeoutMs));
  }
  return promise.finally(() => clearTimeout(timer));
}

function failed(error: unknown, wasStarted: boolean, timeoutMs: number): Exchange {
  if (error instanceof TooLate) {
    return {
      kind: 'not_sent',
      cause: 'too_late',
      reason:
        'the time limit for sending had passed when the connection was ready ' +
        '(worker stopped, overloaded, or its clock differs from the server’s)',
    };
  }
  const reason = describeFailure(error, timeoutMs);
  return wasStarted
    ? { kind: 'unknown', reason }
    : { kind: 'not_sent', cause: 'unreachable', reason };
}

/** Codes only: messages of network errors may repeat addresses and headers. */
function describeFailure(error: unknown, timeoutMs: number): string {
  if (error instanceof TimedOut) return `no whole answer within ${timeoutMs} ms`;
  if (error instanceof TooLong) return 'the answer was longer than its limit';
  if (error instanceof Error && 'code' in error) return String(error.code);
  return error instanceof Error ? error.name : 'unexplained failure';
}

function flattenHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined
        ? []
        : [[name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
