import { Writable } from 'node:stream';
import { Connection } from '@temporalio/client';
import { pino } from 'pino';
import { HoldfastClient } from '../../src/client/client.js';
import type { ApiKey } from '../../src/http/access.js';
import type { ServerOptions } from '../../src/http/api.js';
import { createServer, type HttpServer } from '../../src/http/server.js';
import type { Payment } from '../../src/domain/payment.js';
import { TIMING } from '../../src/domain/timing.js';
import { openStore, type Store } from '../../src/store/store.js';
import { freePort } from '../../src/temporal/ports.js';
import { hmacSha256 } from '../../src/transport/digest.js';
import {
  CONNECTION_ID,
  startHarness,
  type Harness,
  type HarnessOptions,
} from '../support/harness.js';

export const KEYS = {
  shop: { id: 'shop', secret: 'key-of-the-shop', scopes: ['payments:read', 'payments:write'] },
  other: { id: 'other', secret: 'key-of-another', scopes: ['payments:read', 'payments:write'] },
  reader: { id: 'reader', secret: 'key-of-a-reader', scopes: ['payments:read'] },
  operator: { id: 'operator', secret: 'key-of-an-operator', scopes: ['operations'] },
  officer: { id: 'officer', secret: 'key-of-an-officer', scopes: ['personal_data'] },
} as const satisfies Record<string, ApiKey>;

export interface Call {
  readonly key?: keyof typeof KEYS | 'none';
  readonly idempotencyKey?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed; undefined where the answer is no JSON. */
  readonly body: unknown;
}

export interface TestServer {
  readonly url: string;
  readonly server: HttpServer;
  /** All that was logged. */
  log(): string;
  call(method: string, path: string, call?: Call): Promise<Answered>;
  close(): Promise<void>;
}

/** A server on a real port, over a harness's store, client and connections. */
export async function serve(
  harness: Pick<Harness, 'client' | 'store' | 'connections'>,
  changes: Partial<ServerOptions> & { readonly port?: number } = {},
): Promise<TestServer> {
  const { port = 0, ...options } = changes;
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const server = await createServer({
    client: harness.client,
    store: harness.store,
    connections: harness.connections,
    timing: TIMING.fast,
    logger: pino({ level: 'debug' }, stream),
    now: Date.now,
    apiKeys: Object.values(KEYS),
    version: '1.2.3',
    ...options,
  });
  const url = await server.listen({ host: '127.0.0.1', port });
  return {
    url,
    server,
    log: () => lines.join(''),
    call: (method, path, call) => send(`${url}${path}`, method, call),
    close: () => server.close(),
  };
}

async function send(url: string, method: string, call: Call = {}): Promise<Answered> {
  const { key = 'shop', idempotencyKey, body, headers } = call;
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(key !== 'none' && { authorization: `Bearer ${KEYS[key].secret}` }),
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  };
}

/** The answer's body as the payment that it is. */
export function paymentIn({ body }: Answered): Payment {
  return body as Payment;
}

/** A harness whose payments tell a server at `port` of their news. */
export async function harnessWithDoor(
  options: HarnessOptions = {},
): Promise<{ harness: Harness; port: number }> {
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  return { harness: await startHarness({ publicUrl, ...options }), port };
}

/** The path of the door for a payment, as the harness's connections give it out. */
export function doorPath(paymentId: string): string {
  const token = hmacSha256('test', `${CONNECTION_ID}\n${paymentId}`).toString('base64url');
  return `/notifications/${CONNECTION_ID}/${paymentId}/${token}`;
}

/** A store whose database is not there. */
export function storeThatIsDown(): Promise<Store> {
  return openStore({ kind: 'postgres', url: 'postgres://nobody@127.0.0.1:1/none' });
}

/** A client whose Temporal is not there. Left open: retries under way throw on a closed channel. */
export function clientWithoutTemporal(): HoldfastClient {
  const connection = Connection.lazy({ address: '127.0.0.1:1' });
  return new HoldfastClient({ connection, timing: 'fast' });
}

/** A body for `POST /v1/payments` that is fine. */
export function openBody(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    connectionId: CONNECTION_ID,
    amount: { minor: '1250', currency: 'EUR' },
    merchantReference: `order-${Math.random().toString(36).slice(2)}`,
    ...changes,
  };
}
