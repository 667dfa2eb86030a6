import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultConfig } from '../../src/config.js';
import { freePort } from '../../src/temporal/ports.js';
import { startDevStack, type DevStack } from '../../src/workers/dev-stack.js';
import '../support/setup.js';
import { temporalCli } from '../support/temporal.js';

/** What must stand nowhere in the clear, by where it goes through. */
const CANARIES = {
  description: 'canary-description-of-the-purchase',
  merchantReference: 'canary-reference-4711',
  cancelReason: 'canary-reason-for-the-void',
  /** Told by the sandbox's callbacks and details. */
  debtorIban: '*************12636',
} as const;

let folder: string;
let stack: DevStack;
let logged = '';
let paymentId: string;
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
  await livePayment();
  const state = join(folder, 'state');
  const { base64 } = JSON.parse(await readFile(join(state, 'encryption-key'), 'utf8')) as {
    base64: string;
  };
  const notificationSecret = await readFile(join(state, 'notification-secret'), 'utf8');
  secrets = [base64, notificationSecret, stack.sandboxes!.terminal.apiKey];
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Every path: request, answer, callback, void with a reason, and a wrong request. */
async function livePayment(): Promise<void> {
  const { apiUrl } = stack;
  const { terminal } = stack.sandboxes!;
  const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`${apiUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() },
      body: JSON.stringify(body),
    });
    return (await response.json()) as Record<string, unknown>;
  };
  const asked = {
    connectionId: 'payconiq-terminal',
    amount: { minor: '1250', currency: 'EUR' },
    merchantReference: CANARIES.merchantReference,
    description: CANARIES.description,
    captureMode: 'manual',
  };
  const payment = await post('/v1/payments', asked);
  paymentId = String(payment['paymentId']);
  terminal.consumer.pay(String(payment['providerReference']));
  await terminal.callbacks.idle();
  await stack.client.waitForOutcome(paymentId, { timeoutMs: 20_000 });
  await post(`/v1/payments/${paymentId}/void`, { reason: CANARIES.cancelReason });
  await post('/v1/payments', { ...asked, amount: { minor: '-1', currency: 'EUR' } });
  await terminal.callbacks.idle();
}

async function contentsOf(directory: string): Promise<Buffer> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  return Buffer.concat(
    await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name)))),
  );
}

describe("Temporal's database", () => {
  test.each(Object.entries(CANARIES))('holds no %s in the clear', async (_name, canary) => {
    const stored = await contentsOf(join(folder, 'state'));
    expect(stored.includes(canary)).toBe(false);
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
    expect(stored.includes(CANARIES.debtorIban)).toBe(false);
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

test('the log holds neither secrets nor what the payment is about', () => {
  expect(logged).toContain('"route":"/v1/payments"');
  for (const text of [...secrets, ...Object.values(CANARIES)]) expect(logged).not.toContain(text);
});
