import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';
import { afterEach, beforeEach, expect } from 'vitest';
import type { PayconiqSandboxOptions } from '../../src/sandbox/payconiq/options.js';
import { startPayconiqSandbox } from '../../src/sandbox/payconiq/sandbox.js';
import type { PayconiqSandbox } from '../../src/sandbox/payconiq/sandbox.js';
import { CRITICAL_CLAIMS } from '../../src/sandbox/payconiq/signing-keys.js';
import { staticKeySource } from '../../src/transport/jwks.js';
import { verifyDetached } from '../../src/transport/jws.js';
import type { VerifyResult } from '../../src/transport/jws.js';

export const HOUR_MS = 3_600_000;
export const CLAIM = 'https://payconiq.com/';

/** Members of the messages that tests read by name; which are there depends on the message. */
export interface Message {
  readonly paymentId: string;
  readonly status: string;
  readonly code: string | undefined;
  readonly message: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly totalElements: number;
  readonly details: readonly Message[];
  readonly _links: Readonly<Record<string, { readonly href: string } | undefined>>;
  readonly id: number;
}
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Empty where the body is no JSON. */
  readonly json: Message;
}
export interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}
export interface Received {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The sandbox that the running test has started. */
export let sandbox: PayconiqSandbox;
/** The merchant's server: emits `callback` for each that arrives. */
export let receiver: Server;
export let received: Received[];
export let callbackUrl: string;
let respond: (response: ServerResponse, count: number) => void;

beforeEach(async () => {
  received = [];
  respond = (response) => response.writeHead(200).end();
  receiver = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      received.push({ url: incoming.url ?? '', headers: incoming.headers, body });
      receiver.emit('callback');
      respond(response, received.length);
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  callbackUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook/7?a=b`;
});
afterEach(async () => {
  await sandbox.close();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

export const start = async (options: PayconiqSandboxOptions = {}): Promise<PayconiqSandbox> =>
  (sandbox = await startPayconiqSandbox(options));

/** How the merchant answers the n-th callback, from 1. */
export const respondWith = (answer: typeof respond): void => void (respond = answer);

export async function call(path: string, { method = 'GET', body, headers }: Call = {}) {
  const response = await request(sandbox.url + path, {
    method,
    reset: true,
    headers: {
      authorization: `Bearer ${sandbox.apiKey}`,
      'content-type': 'application/json',
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.body.text();
  const reply: Reply = {
    status: response.statusCode,
    headers: response.headers,
    text,
    json: parse(text) as Message,
  };
  return reply;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

export const post = (path: string, body?: unknown, headers = {}): Promise<Reply> =>
  call(path, { method: 'POST', body, headers });
export const get = (id: string): Promise<Reply> => call(`/v3/payments/${id}`);
export const remove = (id: string): Promise<Reply> =>
  call(`/v3/payments/${id}`, { method: 'DELETE' });
export const acknowledge = (id: string, amount = 122): Promise<Reply> =>
  post(`/v3/payments/${id}/acknowledge`, { amount, currency: 'EUR' });
export const create = async (changes: Record<string, unknown> = {}): Promise<string> => {
  const reply = await post('/v3/payments', { amount: 122, callbackUrl, ...changes });
  expect(reply.status).toBe(201);
  return reply.json.paymentId;
};
/** A payment that its consumer has paid, callbacks answered. */
export const paid = async (changes: Record<string, unknown> = {}): Promise<string> => {
  const id = await create(changes);
  sandbox.consumer.pay(id);
  await sandbox.callbacks.idle();
  return id;
};

export const statusOf = (id: string): string | undefined => sandbox.payment(id)?.status;
export const movements = (id: string): string[] =>
  sandbox.ledger.ofPayment(id).map(({ kind, amountMinor }) => `${kind} ${amountMinor}`);
/** The statuses that callbacks have told so far. */
export const statuses = (): string[] =>
  received.map(({ body }) => (JSON.parse(body) as Message).status);
export const failureOf = (reply: Promise<unknown>): Promise<string> =>
  reply.then(
    () => 'answered',
    (error: { code?: string }) => error.code ?? 'no code',
  );

/** Verifies with the keys that the sandbox publishes now. */
export async function verify(signed: {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}): Promise<VerifyResult> {
  const published = await request(sandbox.jwksUrl);
  return verifyDetached({
    jws: String(signed.headers['signature'] ?? ''),
    payload: Buffer.from(signed.body),
    keys: await staticKeySource(await published.body.json()),
    algorithms: ['ES256'],
    requiredCrit: CRITICAL_CLAIMS,
  });
}
