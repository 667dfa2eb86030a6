import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { defaultConfig } from '../../src/config.js';
import type { ConnectionSettings } from '../../src/providers/connections.js';
import { freePort } from '../../src/temporal/ports.js';
import { startDevStack, type DevStack } from '../../src/workers/dev-stack.js';
import { openStore } from '../../src/store/store.js';
import { createKeyRing, type KeyRing } from '../../src/transport/keyring.js';
import '../support/setup.js';
import { temporalCli } from '../support/temporal.js';
import { dumpOf, readableInDump, readableInHistory, type Dump } from './everything-readable.js';

/** What must stand nowhere in the clear, by where it goes through. */
const CANARIES = {
  description: 'canary-description-of-the-purchase',
  merchantReference: 'canary-reference-4711',
  cancelReason: 'canary-reason-for-the-void',
  refundDescription: 'canary-description-of-the-refund',
  refundReason: 'canary-reason-for-the-repair',
  /** Told by the sandbox's callbacks, details and search. */
  debtorName: 'Canary Birdwhistle',
  debtorIban: '*************98765',
  /** Told by details and search alone. */
  payerMessage: 'canary-words-of-the-payer',
} as const;
/** Of these nothing is left when the payer is erased. */
const { debtorName, debtorIban, payerMessage } = CANARIES;
const OF_THE_PAYER = { debtorName, debtorIban, payerMessage };

let folder: string;
let stack: DevStack;
let logged = '';
/** Every answer of the API, but those about the payer. */
let answered = '';
let paymentId: string;
/** Whose callback was lost: found by asking. */
let askedPaymentId: string;
/** Of another payment of the same payer. */
let refund: { readonly refundId: string; readonly paymentId: string };
let keys: KeyRing;
let secrets: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-canary-'));
  const defaults = defaultConfig();
  stack = await startDevStack({
    config: {
      ...defaults,
      temporal: { ...defaults.temporal, cliPath: await temporalCli() },
      connections: [],
      store: { kind: 'embedded', directory: join(folder, 'store') },
      http: { host: '127.0.0.1', port: await freePort() },
      timing: 'fast',
    },
    logger: pino({ level: 'trace' }, { write: (line) => void (logged += line) }),
    stateDirectory: join(folder, 'state'),
    sandboxPorts: { terminal: 0, online: 0 },
    isHeadless: true,
  });
  paymentId = await livePayment();
  askedPaymentId = await paidUnheard();
  await get('/v1/connections/payconiq-terminal/provider-payments');
  await get(`/v1/payments/${paymentId}`);
  refund = await refunded();
  const state = join(folder, 'state');
  const key = await readFile(join(state, 'encryption-key'), 'utf8');
  const { id, base64 } = JSON.parse(key) as { id: string; base64: string };
  keys = createKeyRing([{ id, secret: base64 }]);
  const notificationSecret = await readFile(join(state, 'notification-secret'), 'utf8');
  const { terminal, online, connections } = stack.sandboxes!;
  const keysOfOurs = [
    ...[base64, notificationSecret, terminal.apiKey, online.apiKey],
    ...connections.map(signingSecretOf),
  ];
  secrets = [...keysOfOurs, await refundIbanOfPaid()];
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

const ASKED = {
  connectionId: 'payconiq-terminal',
  amount: { minor: '1250', currency: 'EUR' },
  merchantReference: CANARIES.merchantReference,
  description: CANARIES.description,
  captureMode: 'manual',
};
const PAYER = { debtor: { name: debtorName, iban: debtorIban }, message: payerMessage };

async function post(path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${stack.apiUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  answered += text;
  return JSON.parse(text) as Record<string, unknown>;
}

async function get(path: string): Promise<void> {
  answered += await (await fetch(`${stack.apiUrl}${path}`)).text();
}

/** Every path: request, answer, callback, void with a reason, and a wrong request. */
async function livePayment(): Promise<string> {
  const { terminal } = stack.sandboxes!;
  const payment = await post('/v1/payments', ASKED);
  const id = String(payment['paymentId']);
  terminal.consumer.pay(String(payment['providerReference']), PAYER);
  await terminal.callbacks.idle();
  await stack.client.waitForOutcome(id, { timeoutMs: 20_000 });
  await post(`/v1/payments/${id}/void`, { reason: CANARIES.cancelReason });
  await post('/v1/payments', { ...ASKED, amount: { minor: '-1', currency: 'EUR' } });
  await terminal.callbacks.idle();
  return id;
}

/** A payment whose callback is lost, so that the provider is asked for its details. */
async function paidUnheard(): Promise<string> {
  const { terminal } = stack.sandboxes!;
  const payment = await post('/v1/payments', ASKED);
  const id = String(payment['paymentId']);
  const providerReference = String(payment['providerReference']);
  const where = { paymentId: providerReference };
  terminal.faults.always('callback', { kind: 'lose', scope: 'delivery' }, { where });
  terminal.consumer.pay(providerReference, PAYER);
  await stack.client.waitForOutcome(id, { timeoutMs: 30_000 });
  return id;
}

/** The bytes of the key, as no line of the file has them alone. */
function signingSecretOf({ settings }: ConnectionSettings): string {
  const { signing } = settings as { signing: { privateKeyPem: string } };
  return signing.privateKeyPem.split('\n')[1]!;
}

/** Of a payment whose payer the provider names: asked for, looked at, done. */
async function refunded(): Promise<typeof refund> {
  const { terminal } = stack.sandboxes!;
  const { captureMode: _mode, ...asked } = ASKED;
  const payment = await post('/v1/payments', asked);
  const id = String(payment['paymentId']);
  terminal.consumer.pay(String(payment['providerReference']), PAYER);
  await stack.client.waitForOutcome(id, { timeoutMs: 20_000 });
  const asking = await post(`/v1/payments/${id}/refunds`, {
    amount: { minor: '250', currency: 'EUR' },
    description: CANARIES.refundDescription,
  });
  const ours = String(asking['refundId']);
  const repair = { kind: 'ask' };
  await post(`/v1/refunds/${ours}/repairs`, {
    repair,
    actor: 'ann',
    reason: CANARIES.refundReason,
  });
  await post(`/v1/payments/${id}/refunds`, { amount: { minor: '9999', currency: 'EUR' } });
  await vi.waitFor(
    async () => expect(await stack.store.refunds.get(ours)).toMatchObject({ status: 'succeeded' }),
    { timeout: 20_000 },
  );
  await get(`/v1/payments/${id}/refunds`);
  return { refundId: ours, paymentId: id };
}

/** PCQ-10: asked of the provider, told, and kept nowhere. */
async function refundIbanOfPaid(): Promise<string> {
  const { captureMode: _mode, ...asked } = ASKED;
  const payment = await post('/v1/payments', { ...asked, connectionId: 'payconiq-online' });
  const id = String(payment['paymentId']);
  stack.sandboxes!.online.consumer.pay(String(payment['providerReference']));
  await stack.client.waitForOutcome(id, { timeoutMs: 20_000 });
  const response = await fetch(`${stack.apiUrl}/v1/payments/${id}/refund-iban`);
  const { iban } = (await response.json()) as { iban: string };
  expect(iban).toMatch(/^[A-Z]{2}\d{2}[A-Z0-9]{10,30}$/);
  return iban;
}

async function payerOf(id: string): Promise<unknown> {
  return (await fetch(`${stack.apiUrl}/v1/payments/${id}/payer`)).json();
}

async function contentsOf(directory: string): Promise<Buffer> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  return Buffer.concat(
    await Promise.all(files.map((entry) => read(join(entry.parentPath, entry.name)))),
  );
}

/** A journal is gone as soon as what it holds is in the database. */
async function read(path: string): Promise<Buffer> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' && path.endsWith('-journal')) return Buffer.alloc(0);
    throw error;
  });
}

test('PCQ-05, PCQ-16: the payer is known to who may read it', async () => {
  const seen = { name: debtorName, iban: debtorIban };
  await expect.poll(() => payerOf(paymentId)).toEqual(seen);
  await expect.poll(() => payerOf(askedPaymentId)).toEqual({ ...seen, message: payerMessage });
});

describe("Temporal's database", () => {
  test.each(Object.entries(CANARIES))('holds no %s in the clear', async (_name, canary) => {
    const stored = await contentsOf(join(folder, 'state'));
    expect(stored.includes(canary)).toBe(false);
  });

  test.each(Object.entries(OF_THE_PAYER))(
    'holds no %s, not even for those who have the keys',
    async (_name, canary) => {
      for (const id of [paymentId, askedPaymentId]) {
        const where = { address: stack.temporalAddress, workflowId: `payment/${id}` };
        const history = await readableInHistory(where, keys);
        expect(history).toContain(CANARIES.merchantReference);
        expect(history).not.toContain(canary);
      }
    },
  );

  test('PCQ-11: holds of a refund nothing of the payer, and its words for those with the keys', async () => {
    const where = { address: stack.temporalAddress, workflowId: `refund/${refund.refundId}` };
    const history = await readableInHistory(where, keys);
    expect(history).toContain(CANARIES.refundDescription);
    expect(history).toContain(CANARIES.refundReason);
    for (const canary of Object.values(OF_THE_PAYER)) expect(history).not.toContain(canary);
  });

  test('is searched in the right place: the workflow id, which is never encrypted, stands there', async () => {
    const stored = await contentsOf(join(folder, 'state'));
    expect(stored.includes(paymentId)).toBe(true);
  });

  test('holds no secret', async () => {
    const database = await readFile(join(folder, 'state', 'temporal.db'));
    for (const secret of secrets) expect(database.includes(secret)).toBe(false);
  });
});

describe('our database', () => {
  test('holds nothing of the payer in the clear, raw notifications included', async () => {
    const stored = await contentsOf(join(folder, 'store'));
    expect(stored.includes(paymentId)).toBe(true);
    for (const canary of Object.values(OF_THE_PAYER)) expect(stored.includes(canary)).toBe(false);
  });

  test('holds no secret', async () => {
    const stored = await contentsOf(join(folder, 'store'));
    for (const secret of secrets) expect(stored.includes(secret)).toBe(false);
  });

  test('gives a raw notification back to who may read it', async () => {
    const { notifications } = await stack.store.inbox.list({ paymentId, limit: 1 });
    const found = await stack.store.inbox.get(notifications[0]!.id);
    expect(Buffer.from(found!.body).toString()).toContain(CANARIES.debtorIban);
  });
});

test('no other answer tells anything of the payer, the search at the provider included', () => {
  expect(answered).toContain('"totalPayments":2');
  for (const canary of Object.values(OF_THE_PAYER)) expect(answered).not.toContain(canary);
});

test('the log holds neither secrets nor what the payment is about', () => {
  expect(logged).toContain('"route":"/v1/payments"');
  for (const text of [...secrets, ...Object.values(CANARIES)]) expect(logged).not.toContain(text);
});

/** Last, because it stops everything: the database is then read as it lies on the disk. */
describe('when the payer is erased', () => {
  let before: Dump;
  let after: Dump;

  beforeAll(async () => {
    await stack.stop();
    const directory = join(folder, 'store');
    before = await dumpOf(directory);
    const store = await openStore({ kind: 'embedded', directory }, keys);
    await store.payers.erase(paymentId);
    await store.payers.erase(askedPaymentId);
    await store.payers.erase(refund.paymentId);
    await store.close();
    after = await dumpOf(directory);
  }, 60_000);

  test.each(Object.entries(OF_THE_PAYER))(
    'no %s is left, not even for those who have the keys',
    (_name, canary) => {
      expect(readableInDump(before, keys)).toContain(canary);
      expect(readableInDump(after, keys)).not.toContain(canary);
    },
  );

  test.each(Object.entries(OF_THE_PAYER))(
    'no %s is read in backups of all tables but that of the payers’ keys',
    (_name, canary) => {
      const { payerKeys } = after;
      const readable = readableInDump({ ...before, payerKeys }, keys);
      expect(readable).toContain(CANARIES.merchantReference);
      expect(readable).not.toContain(canary);
    },
  );
});
