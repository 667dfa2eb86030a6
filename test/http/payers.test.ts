import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { payer } from '../../src/http/schemas.js';
import type { Payment } from '../../src/domain/payment.js';
import { openStore, type Store } from '../../src/store/store.js';
import { createKeyRing } from '../../src/transport/keyring.js';
import type { Harness } from '../support/harness.js';
import {
  doorPath,
  harnessWithDoor,
  openBody,
  paymentIn,
  serve,
  type Answered,
  type TestServer,
} from './support.js';

const DEBTOR = { name: 'Zoë Müller', iban: '*************47034' };
const MESSAGE = 'Keep the change';
const OFFICER = { key: 'officer' } as const;

let harness: Harness;
let server: TestServer;
let store: Store;

beforeAll(async () => {
  const keys = createKeyRing([{ id: 'test', secret: new Uint8Array(32).fill(1) }]);
  store = await openStore({ kind: 'embedded', directory: 'memory' }, keys);
  await store.migrate();
  const prepared = await harnessWithDoor({ store });
  harness = prepared.harness;
  server = await serve(harness, { port: prepared.port });
  await harness.startWorker();
});

afterAll(async () => {
  await server.close();
  await harness.close();
  await store.close();
});

async function opened(): Promise<Payment> {
  const body = openBody({ captureMode: 'manual' });
  const idempotencyKey = crypto.randomUUID();
  return paymentIn(await server.call('POST', '/v1/payments', { body, idempotencyKey }));
}

/** Paid, and told of by callback. */
async function paid(): Promise<Payment> {
  const payment = await opened();
  harness.sandbox.consumer.pay(payment.providerReference!, { debtor: DEBTOR, message: MESSAGE });
  await harness.sandbox.callbacks.idle();
  await harness.until(payment.paymentId, ({ status }) => status === 'authorized');
  await server.server.settled();
  return payment;
}

function call(method: string, { paymentId }: { paymentId: string }, query = ''): Promise<Answered> {
  return server.call(method, `/v1/payments/${paymentId}/payer${query}`, OFFICER);
}

describe('the payer of a payment', () => {
  test('PCQ-16: is known from a callback', async () => {
    const answer = await call('GET', await paid());
    expect([answer.status, payer.parse(answer.body)]).toEqual([200, DEBTOR]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('PCQ-05: is known with their message where the provider is asked', async () => {
    const payment = await paid();
    const answer = await call('GET', payment, '?refresh=true');
    expect(payer.parse(answer.body)).toEqual({ ...DEBTOR, message: MESSAGE });
    expect((await call('GET', payment)).body).toEqual(answer.body);
    harness.sandbox.faults.next('get', { kind: 'error_before_effect', status: 500 });
    expect((await call('GET', payment, '?refresh=true')).body).toEqual(answer.body);
  });

  test('PCQ-05: is known where the payment was found paid by asking', async () => {
    const payment = await opened();
    harness.sandbox.faults.next('callback', { kind: 'lose', scope: 'delivery' });
    harness.sandbox.consumer.pay(payment.providerReference!, { debtor: DEBTOR, message: MESSAGE });
    await harness.until(payment.paymentId, ({ status }) => status === 'authorized');
    await expect
      .poll(() => store.payers.read(payment.paymentId))
      .toEqual({
        ...DEBTOR,
        message: MESSAGE,
      });
  });

  it('is not known before it was told, nor that of no payment', async () => {
    for (const payment of [await opened(), { paymentId: 'nobody' }]) {
      expect((await call('GET', payment)).body).toMatchObject({ status: 404, code: 'not_found' });
    }
  });

  it('stands in nothing else that is answered about the payment', async () => {
    const { paymentId } = await paid();
    const { text } = await server.call('GET', `/v1/payments/${paymentId}`);
    expect(text).toContain(paymentId);
    expect(text).not.toMatch(/Müller|47034/);
  });
});

describe('erasing the payer', () => {
  it('forgets them for good, again and again', async () => {
    const payment = await paid();
    const first = await call('DELETE', payment);
    expect([first.status, first.text]).toEqual([204, '']);
    expect((await call('GET', payment)).status).toBe(404);
    expect((await call('GET', payment, '?refresh=true')).status).toBe(404);
    const [told] = harness.sandbox.callbacks.ofPayment(payment.providerReference!);
    expect(await harness.sandbox.callbacks.repeat(told!.id)).toBe(200);
    await server.server.settled();
    expect((await call('GET', payment)).status).toBe(404);
    expect((await call('DELETE', payment)).status).toBe(204);
  });

  it('leaves of their notifications that they came, and their payment as it was', async () => {
    const payment = await paid();
    const before = await harness.client.get(payment.paymentId);
    await call('DELETE', payment);
    const { notifications } = await store.inbox.list({ paymentId: payment.paymentId, limit: 9 });
    expect(notifications).toMatchObject([{ facts: [{}], headers: {}, state: 'delivered' }]);
    const path = `/v1/notifications/${notifications[0]!.id}`;
    const read = await server.call('GET', path, { key: 'operator' });
    expect(read.body).toMatchObject({ body: '', headers: {} });
    const replayed = await server.call('POST', `${path}/replay`, { key: 'operator' });
    expect(replayed.status).toBe(202);
    expect(await harness.client.get(payment.paymentId)).toEqual(before);
  });

  it('goes ahead of what is told: later news is taken, and not kept', async () => {
    const payment = await opened();
    expect((await call('DELETE', payment)).status).toBe(204);
    harness.sandbox.consumer.pay(payment.providerReference!, { debtor: DEBTOR, message: MESSAGE });
    await harness.sandbox.callbacks.idle();
    await harness.until(payment.paymentId, ({ status }) => status === 'authorized');
    await server.server.settled();
    expect((await call('GET', payment)).status).toBe(404);
  });

  it('is refused where there is no such payment', async () => {
    expect((await call('DELETE', { paymentId: 'nobody' })).status).toBe(404);
  });

  it('is logged with who asked for it, and nothing of what was known', async () => {
    const payment = await paid();
    await call('DELETE', payment);
    const line = server
      .log()
      .split('\n')
      .find((each) => each.includes(`"${payment.paymentId}"`) && each.includes('payer erased'));
    expect(JSON.parse(line!)).toMatchObject({ client: 'officer', paymentId: payment.paymentId });
    expect(server.log()).not.toMatch(/Müller|47034|Keep the change/);
  });
});

test('a notification is taken though nothing can be kept of its payer', async () => {
  const payment = await opened();
  const failing: Store = {
    ...store,
    payers: { ...store.payers, remember: () => Promise.reject(new Error('switched off')) },
  };
  const other = await serve(harness, { store: failing });
  harness.sandbox.faults.next('callback', { kind: 'lose', scope: 'attempt' });
  harness.sandbox.consumer.pay(payment.providerReference!, { debtor: DEBTOR });
  await harness.sandbox.callbacks.idle();
  const [told] = harness.sandbox.callbacks.ofPayment(payment.providerReference!);
  const url = `${other.url}${doorPath(payment.paymentId)}`;
  const answer = await fetch(url, { method: 'POST', body: told!.body, headers: told!.headers });
  expect(answer.status).toBe(200);
  await harness.until(payment.paymentId, ({ status }) => status === 'authorized');
  await other.server.settled();
  expect(other.log()).toContain('remembering a payer failed');
  expect(other.log()).not.toMatch(/Müller|47034/);
  await other.close();
});
