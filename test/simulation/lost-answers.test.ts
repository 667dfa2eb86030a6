import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OperationName } from '../../src/domain/ids.js';
import type { Payment } from '../../src/domain/payment.js';
import type { PaymentStatus } from '../../src/domain/reducer.js';
import type { RequestFault } from '../../src/sandbox/payconiq/faults.js';
import { CONNECTION_ID, startHarness, type Harness } from '../support/harness.js';

/**
 * Every operation of the adapter × everything that can happen to its answer. The table is generated
 * from what the connection offers; an operation without a life to try it in fails the suite.
 */
const FAULTS_BY_KIND = {
  reset_before_effect: { 'reset before the effect': {} },
  reset_after_effect: { 'reset after the effect': {} },
  error_before_effect: {
    '500 before the effect': { status: 500 },
    '503 before the effect': { status: 503 },
  },
  error_after_effect: {
    '500 after the effect': { status: 500 },
    '503 after the effect': { status: 503 },
  },
  slow: {
    'no answer in time, done at once': { effect: 'before' },
    'no answer in time, done after we gave up': { effect: 'after', ms: 1_500 },
    'no answer in time, never done': { effect: 'never' },
  },
  cut_body: { 'answer cut off': {} },
  garbage: { 'answer that does not parse': {} },
  throttle: { throttled: {} },
} as const satisfies Record<Exclude<RequestFault['kind'], 'answer'>, Record<string, object>>;

const FAULTS: readonly (readonly [string, RequestFault])[] = Object.entries(FAULTS_BY_KIND).flatMap(
  ([kind, variants]) =>
    Object.entries(variants).map(([name, details]): [string, RequestFault] => [
      name,
      { kind, ...details } as RequestFault,
    ]),
);

interface Life {
  readonly operation: OperationName;
  readonly options?: object;
  readonly ends: PaymentStatus;
  /** What must have moved, in the order of the ledger's kinds. */
  readonly moved: readonly string[];
  readonly captureMode: 'automatic' | 'manual';
  live(harness: Harness, payment: Lived): Promise<unknown>;
}

interface Lived {
  readonly paymentId: string;
  readonly reference: string;
}

const pay = async ({ client, sandbox }: Harness, { paymentId }: Lived): Promise<void> => {
  const open = await until(client, paymentId, ({ status }) => status === 'requires_action');
  sandbox.consumer.pay(open.providerReference!);
};

const LIVES: Readonly<Record<string, Life>> = {
  create: {
    operation: 'create',
    ends: 'captured',
    moved: ['debited', 'paid_out'],
    captureMode: 'automatic',
    live: pay,
  },
  // Live on the sticker without its answer: it is taken away before there is another.
  'create on a sticker': {
    operation: 'create',
    options: { flavour: 'sticker', posId: 'POS1' },
    ends: 'captured',
    moved: ['debited', 'paid_out'],
    captureMode: 'automatic',
    live: pay,
  },
  capture: {
    operation: 'capture',
    ends: 'captured',
    moved: ['debited', 'paid_out'],
    captureMode: 'automatic',
    live: pay,
  },
  void: {
    operation: 'void',
    ends: 'voided',
    moved: ['debited', 'credited_back'],
    captureMode: 'manual',
    async live(harness, lived) {
      await pay(harness, lived);
      await until(harness.client, lived.paymentId, ({ status }) => status === 'authorized');
      await harness.client.void(lived.paymentId, { reason: 'test' });
    },
  },
  cancel: {
    operation: 'cancel',
    ends: 'canceled',
    moved: [],
    captureMode: 'manual',
    async live({ client }, { paymentId }) {
      await until(client, paymentId, ({ status }) => status === 'requires_action');
      await client.cancel(paymentId, { reason: 'test' });
    },
  },
};

/** What the sandbox calls our operations. */
const TARGETS = {
  create: 'create',
  capture: 'acknowledge',
  void: 'void',
  cancel: 'cancel',
} as const satisfies Record<OperationName, string>;

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({ publicUrl: 'http://127.0.0.1:9' });
  await harness.startWorker();
});
afterAll(() => harness.close());

test('every operation that the adapter offers has a life to be tried in', () => {
  const { operations } = harness.connections.get(CONNECTION_ID)!.payments!;
  const tried = new Set(Object.values(LIVES).map(({ operation }) => operation));
  expect(Object.keys(operations).sort()).toEqual([...tried].sort());
});

describe.each(Object.entries(LIVES))('%s', (_operation, life) => {
  test.concurrent.each(FAULTS)(
    '%s: the payment ends right and every movement happens once',
    async (_name, fault) => {
      const { client, sandbox, store } = harness;
      const request = harness.request({
        captureMode: life.captureMode,
        ...(life.options && { options: { provider: 'payconiq', ...life.options } }),
      });
      const { paymentId, merchantReference: reference } = request;
      const where = { reference };
      const planted = sandbox.faults.next(TARGETS[life.operation], fault, where);

      await client.open(request);
      await life.live(harness, { paymentId, reference });
      const payment = await until(client, paymentId, ({ ended }) => ended);

      expect(planted.hits()).toBe(1);
      expect(payment.status).toBe(life.ends);
      expect(sandbox.ledger.ofReference(reference).map(({ kind }) => kind)).toEqual(life.moved);
      const open = sandbox.payments({ reference }).filter(({ status }) => status === 'PENDING');
      if (life.options) expect(open).toEqual([]);
      expect(await store.getPayment(paymentId)).toEqual(payment);
      planted.release();
    },
    60_000,
  );
});

test('a refused connection: nothing is sent until the provider is back, then once', async () => {
  const { client, sandbox } = harness;
  const request = harness.request();
  await sandbox.faults.refuse();
  await client.open(request);
  expect(sandbox.payments({ reference: request.merchantReference })).toEqual([]);
  await sandbox.faults.accept();

  await pay(harness, { paymentId: request.paymentId, reference: request.merchantReference });
  const payment = await until(client, request.paymentId, ({ ended }) => ended);

  expect(payment.status).toBe('captured');
  expect(sandbox.payments({ reference: request.merchantReference })).toHaveLength(1);
});

async function until(
  client: Harness['client'],
  paymentId: string,
  isReached: (payment: Payment) => boolean,
): Promise<Payment> {
  for (let deadlineMs = Date.now() + 50_000; ;) {
    const payment = await client.get(paymentId);
    if (payment && isReached(payment)) return payment;
    if (Date.now() > deadlineMs) {
      throw new Error(`stuck: ${JSON.stringify(payment, null, 1)}`);
    }
    await new Promise((resume) => setTimeout(resume, 50));
  }
}
