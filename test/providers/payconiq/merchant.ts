import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { operationKey, refundKey, type OperationName } from '../../../src/domain/ids.js';
import { askedMoney, money } from '../../../src/domain/money.js';
import type { PaymentRequest } from '../../../src/domain/payment.js';
import type { RefundRequest } from '../../../src/domain/refund.js';
import { TIMING, type Timing } from '../../../src/domain/timing.js';
import type {
  Connection,
  Intent,
  NotificationCapability,
  Opened,
  PaymentCapability,
  RawNotification,
  RefundIntent,
} from '../../../src/providers/provider.js';
import { PROVIDERS } from '../../../src/providers/registry.js';
import type { PayconiqSandboxOptions } from '../../../src/sandbox/payconiq/options.js';
import {
  startPayconiqSandbox,
  type PayconiqSandbox,
} from '../../../src/sandbox/payconiq/sandbox.js';
import { createHttpClient } from '../../../src/transport/http.js';

/** What a creation gives where something was made at the provider. */
type Made = Opened & { readonly providerReference: string };

/** A connection's parts that a Payconiq profile always has. */
export interface Connected extends Connection {
  readonly payments: PaymentCapability;
  readonly notifications: NotificationCapability;
}

export interface ConnectOptions {
  readonly settings?: Record<string, unknown>;
  readonly timing?: Partial<Timing>;
  readonly now?: () => number;
  /** `none`: the merchant has no public URL. */
  readonly notificationUrl?: 'none';
}

/** A merchant with a Payconiq of its own: sandbox, connection, and the door for its callbacks. */
export interface Merchant extends Connected {
  readonly sandbox: PayconiqSandbox;
  /** Callbacks in the order of their arrival. */
  readonly received: readonly RawNotification[];
  readonly secrets: readonly string[];
  notificationUrl(paymentId?: string): string;
  /** One more connection to the same sandbox. */
  connect(options?: ConnectOptions): Connected;
  /** Creates a payment; its intent for a command follows from `intent`. */
  create(changes?: Partial<PaymentRequest>): Promise<{ request: PaymentRequest; opened: Made }>;
  close(): Promise<void>;
}

export interface MerchantOptions extends ConnectOptions {
  readonly sandbox?: PayconiqSandboxOptions;
  readonly auth?: 'key' | 'signed';
}

export const SIGNING_KID = 'es.signature.merchant';

/** The merchant's key pair: PKCS#8 for us, a key set for the provider. */
export function merchantKeys(kid = SIGNING_KID): {
  readonly privateKeyPem: string;
  readonly keySet: object;
  readonly publicKey: KeyObject;
} {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' };
  return {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    keySet: { keys: [jwk] },
    publicKey,
  };
}

export async function startMerchant(options: MerchantOptions = {}): Promise<Merchant> {
  const keys = merchantKeys();
  const isSigned = options.auth === 'signed';
  const voidSupport = options.sandbox?.product !== 'online';
  const sandbox = await startPayconiqSandbox({
    voidSupport,
    ...(isSigned && { merchantKeys: keys.keySet }),
    ...options.sandbox,
  });
  const door = await openDoor();
  const closing: (() => Promise<void>)[] = [];
  const notificationUrl = (paymentId = ''): string => `${door.url}/${paymentId}`;
  const proof = isSigned
    ? { signing: { kid: SIGNING_KID, privateKeyPem: keys.privateKeyPem } }
    : { apiKey: sandbox.apiKey };

  const connect = (how: ConnectOptions = options): Connected => {
    const configured = PROVIDERS.get('payconiq')!.configure({
      apiBaseUrl: sandbox.url,
      jwksUrl: sandbox.jwksUrl,
      profileId: sandbox.profileId,
      merchantId: sandbox.merchantId,
      product: options.sandbox?.product ?? 'instore',
      voidSupport: options.sandbox?.voidSupport ?? voidSupport,
      ...proof,
      ...how.settings,
    });
    if ('violations' in configured) throw new Error(JSON.stringify(configured.violations));
    const now = how.now ?? Date.now;
    const http = createHttpClient({ origins: configured.origins, now });
    closing.push(() => http.close());
    return configured.connect({
      connectionId: 'shop',
      http,
      timing: { ...TIMING.fast, providerTimeoutMs: 5_000, ...how.timing },
      now,
      notificationUrl: how.notificationUrl === 'none' ? () => undefined : notificationUrl,
    }) as Connected;
  };
  const connected = connect();

  return {
    ...connected,
    sandbox,
    received: door.received,
    secrets: [sandbox.apiKey, keys.privateKeyPem.split('\n')[1]!],
    notificationUrl,
    connect,
    async create(changes) {
      const request = requestOf(changes);
      const outcome = await connected.payments.operations.create.send(intentOf('create', request));
      if (outcome.kind !== 'succeeded') throw new Error(JSON.stringify(outcome));
      const { providerReference } = outcome.value;
      if (providerReference === undefined) throw new Error('nothing was made at the provider');
      return { request, opened: { ...outcome.value, providerReference } };
    },
    async close() {
      await Promise.all(closing.map((close) => close()));
      await sandbox.close();
      door.server.closeAllConnections();
      await new Promise((closed) => door.server.close(closed));
    },
  };
}

/** A request that is fine, with ids of its own. */
export function requestOf(changes: Partial<PaymentRequest> = {}): PaymentRequest {
  return {
    paymentId: randomUUID(),
    connectionId: 'shop',
    amount: money(1250, 'EUR'),
    captureMode: 'automatic',
    merchantReference: randomUUID().slice(0, 35),
    requestedAt: new Date().toISOString(),
    ...changes,
  };
}

export function intentOf(
  operation: OperationName,
  request: PaymentRequest,
  changes: Partial<Intent> = {},
): Intent {
  const ref = { paymentId: request.paymentId, operation, sequence: 1 };
  const amount = askedMoney(request.amount);
  return {
    ...ref,
    request,
    key: operationKey(ref),
    ...(amount && { amount }),
    intendedAtMs: Date.now(),
    latestWriteAtMs: Date.now() + 60_000,
    ...changes,
  };
}

/** A refund that is fine, with ids of its own. */
export function refundOf(changes: Partial<RefundRequest> = {}): RefundRequest {
  return {
    refundId: randomUUID(),
    paymentId: randomUUID(),
    amount: money(1250, 'EUR'),
    description: 'Returned: one chair',
    requestedAt: new Date().toISOString(),
    ...changes,
  };
}

/** To refund this object at the provider: all that `requestOf` asks for, unless said otherwise. */
export function refundIntentOf(
  paymentReference: string,
  changes: Partial<RefundIntent> = {},
): RefundIntent {
  const { amount = money(1250, 'EUR') } = changes;
  const request = changes.request ?? refundOf({ amount });
  const { refundId } = request;
  return {
    refundId,
    sequence: 1,
    key: refundKey(refundId, changes.sequence ?? 1),
    request,
    amount,
    paymentReference,
    intendedAtMs: Date.now(),
    latestWriteAtMs: Date.now() + 60_000,
    ...changes,
  };
}

interface Door {
  readonly server: Server;
  readonly url: string;
  readonly received: RawNotification[];
}

/** Takes every callback, as it is, and answers 200. The last part of its path names the payment, if any. */
async function openDoor(): Promise<Door> {
  const received: RawNotification[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const paymentId = (incoming.url ?? '').split('/').at(-1) ?? '';
      received.push({
        headers: incoming.headers as Record<string, string>,
        body: Buffer.concat(chunks),
        ...(paymentId !== '' && { paymentId }),
      });
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${port}/notifications/shop`, received };
}

/** The newest callback, once all of them have been answered. */
export async function lastCallback({ sandbox, received }: Merchant): Promise<RawNotification> {
  await sandbox.callbacks.idle();
  expect(received.length).toBeGreaterThan(0);
  return received.at(-1)!;
}
