import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fact } from '../../src/domain/facts.js';
import { startHarness, type Harness } from '../support/harness.js';
import { activitiesOf } from './history.js';
import { loseCallbacks, movements, RELEASED, sent, TAKEN } from './observed.js';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({ notifications: true });
  await harness.startWorker();
});
afterAll(() => harness.close());

const euros = (minor: string) => ({ minor, currency: 'EUR' });
const reason = 'sold out';

describe.concurrent('a payment', () => {
  test('is acknowledged by itself once it is paid, and recorded', async () => {
    const { client, ended, sandbox, store, open } = harness;
    const { request, paymentId, created } = await open();
    expect(await client.get(paymentId)).toMatchObject({
      status: 'requires_action',
      nextAction: { kind: 'qr_code' },
      providerReference: created.paymentId,
    });
    sandbox.consumer.pay(created.paymentId);

    const payment = await ended(paymentId);
    expect(payment).toMatchObject({
      status: 'captured',
      ended: true,
      amounts: { captured: euros('1250') },
    });
    expect(sent(sandbox, request.merchantReference)).toEqual(['create', 'acknowledge']);
    expect(movements(sandbox, request.merchantReference)).toEqual(TAKEN);
    // Times of the last task may differ: a notification that meets the end has the task done again.
    const { operations, ...rest } = payment;
    expect(await store.getPayment(paymentId)).toMatchObject(rest);
    expect(operations.map(({ operation, state }) => `${operation} ${state}`)).toEqual([
      'create succeeded',
      'capture succeeded',
    ]);
  });

  test('is asked about when no notification comes', async () => {
    const { ended, sandbox, open, request, handle } = harness;
    const asked = request();
    loseCallbacks(harness.sandbox, asked.merchantReference);
    const { paymentId, created } = await open(asked);
    sandbox.consumer.pay(created.paymentId);

    expect(await ended(paymentId)).toMatchObject({ status: 'captured' });
    expect(await activitiesOf(handle(paymentId))).toContain('askProvider');
  });

  test('waits for its merchant where capture is manual', async () => {
    const { client, ended, until, sandbox, open } = harness;
    const { request, paymentId, created } = await open({ captureMode: 'manual' });
    sandbox.consumer.pay(created.paymentId);
    await until(paymentId, ({ status }) => status === 'authorized');
    expect(sent(sandbox, request.merchantReference)).toEqual(['create']);

    const answer = await client.capture(paymentId, { idempotencyKey: 'take' });
    expect(answer).toMatchObject({ payment: { status: 'captured' } });
    const payment = await ended(paymentId);
    expect(movements(sandbox, request.merchantReference)).toEqual(TAKEN);

    const again = await client.capture(paymentId, { idempotencyKey: 'take' });
    expect(again).toEqual(answer);
    expect(sent(sandbox, request.merchantReference)).toEqual(['create', 'acknowledge']);
    expect(payment.operations.map(({ key }) => key)).toEqual([
      `${paymentId}/create/1`,
      `${paymentId}/capture/1`,
    ]);
  });

  test('is voided by its merchant', async () => {
    const { client, ended, until, sandbox, open, store } = harness;
    const { request, paymentId, created } = await open({ captureMode: 'manual' });
    sandbox.consumer.pay(created.paymentId);
    await until(paymentId, ({ status }) => status === 'authorized');

    expect(await client.void(paymentId, { reason })).toMatchObject({
      payment: { status: 'voided' },
    });
    expect(await ended(paymentId)).toMatchObject({ amounts: { voided: euros('1250') } });
    expect(movements(sandbox, request.merchantReference)).toEqual(RELEASED);
    expect(await store.getPayment(paymentId)).toMatchObject({ status: 'voided', ended: true });
  });

  test('is cancelled before it is paid', async () => {
    const { client, ended, open, sandbox } = harness;
    const { request, paymentId } = await open();

    expect(await client.cancel(paymentId, { reason })).toMatchObject({ kind: 'answered' });
    expect(await ended(paymentId)).toMatchObject({ status: 'canceled', ended: true });
    expect(movements(sandbox, request.merchantReference)).toEqual([]);
  });

  test('is voided when a cancellation meets the confirmation at the provider', async () => {
    const { client, ended, sandbox, open, request } = harness;
    const asked = request();
    loseCallbacks(harness.sandbox, asked.merchantReference);
    const { paymentId, created } = await open(asked);
    sandbox.consumer.pay(created.paymentId);

    await client.cancel(paymentId, { reason });
    expect(await ended(paymentId)).toMatchObject({ status: 'voided' });
    expect(movements(sandbox, asked.merchantReference)).toEqual(RELEASED);
  });

  test('is voided, not acknowledged, when the bank confirms after a refused cancellation', async () => {
    const { client, ended, sandbox, open } = harness;
    const { request, paymentId, created } = await open();
    sandbox.consumer.scan(created.paymentId);
    sandbox.consumer.confirm(created.paymentId, { stopAt: 'bank' });

    await client.cancel(paymentId, { reason });
    sandbox.consumer.settleAtBank(created.paymentId);
    expect(await ended(paymentId)).toMatchObject({ status: 'voided' });
    expect(sent(sandbox, request.merchantReference)).toEqual(['create', 'cancel', 'void']);
  });

  test.each([
    ['failAtBank', 'declined_by_issuer'],
    ['fail', 'declined_by_provider'],
  ] as const)('is declined by %s, with the reason', async (fail, code) => {
    const { ended, sandbox, open } = harness;
    const { paymentId, created } = await open();
    sandbox.consumer[fail](created.paymentId);

    expect(await ended(paymentId)).toMatchObject({ status: 'declined', problem: { code } });
  });

  test('is cancelled by its payer', async () => {
    const { ended, sandbox, open } = harness;
    const { paymentId, created } = await open();
    sandbox.consumer.cancel(created.paymentId);
    expect(await ended(paymentId)).toMatchObject({ status: 'canceled' });
  });

  test('is captured with its tip', async () => {
    const { ended, sandbox, open } = harness;
    const { request, paymentId, created } = await open();
    sandbox.consumer.pay(created.paymentId, { tip: 150 });

    expect(await ended(paymentId)).toMatchObject({
      status: 'captured',
      amounts: { requested: euros('1250'), captured: euros('1400') },
      flags: [],
    });
    expect(movements(sandbox, request.merchantReference)).toEqual([
      'debited 1400',
      'paid_out 1400',
    ]);
  });

  test('of another amount than asked for is left to a person', async () => {
    const { client, ended, until, sandbox, open, request } = harness;
    const asked = request();
    loseCallbacks(harness.sandbox, asked.merchantReference);
    const { paymentId, created } = await open(asked);
    sandbox.consumer.pay(created.paymentId);
    const object = created.paymentId;
    await client.notify(paymentId, { facts: [authorized(object, '1200')] });

    const waiting = await until(paymentId, ({ attention }) => attention !== undefined);
    expect(waiting).toMatchObject({
      status: 'authorized',
      flags: ['amount_differs'],
      attention: { reason: 'amount_differs' },
    });
    expect(sent(sandbox, asked.merchantReference)).toEqual(['create']);
    await client.void(paymentId, { reason });
    expect(await ended(paymentId)).toMatchObject({ attention: { reason: 'facts_contradict' } });
  });

  test('that nobody captures in the time asked for is voided', async () => {
    const { ended, sandbox, open } = harness;
    const captureBefore = new Date(Date.now() + 2_500).toISOString();
    const { request, paymentId, created } = await open({ captureMode: 'manual', captureBefore });
    sandbox.consumer.pay(created.paymentId);

    const payment = await ended(paymentId);
    expect(payment).toMatchObject({ status: 'voided', captureBefore });
    expect(sent(sandbox, request.merchantReference)).toEqual(['create', 'void']);
    const [, released] = sandbox.ledger.ofReference(request.merchantReference);
    expect(released!.at).toBeGreaterThanOrEqual(Date.parse(captureBefore));
  });
});

describe.concurrent('news', () => {
  test('twice is news once', async () => {
    const { client, ended, until, sandbox, open, request } = harness;
    const asked = request({ captureMode: 'manual' });
    const reference = asked.merchantReference;
    sandbox.faults.always('callback', { kind: 'twice' }, { where: { reference } });
    const { paymentId, created } = await open(asked);
    sandbox.consumer.pay(created.paymentId);
    await sandbox.callbacks.idle();
    await until(paymentId, ({ status }) => status === 'authorized');
    const facts = await client.facts(paymentId);
    expect(facts.map(({ kind }) => kind)).toEqual(['created', 'authorized']);

    await client.notify(paymentId, { facts });
    await client.capture(paymentId);
    const payment = await ended(paymentId);
    expect(payment.amounts).toMatchObject({ authorized: euros('1250'), captured: euros('1250') });
    expect(movements(sandbox, reference)).toEqual(TAKEN);
  });

  test('that comes as a hint is asked for, and believed only then', async () => {
    const { client, until, ended, sandbox, open, request, handle } = harness;
    const asked = request({ captureMode: 'manual' });
    loseCallbacks(harness.sandbox, asked.merchantReference);
    const { paymentId, created } = await open(asked);
    sandbox.consumer.pay(created.paymentId);
    await client.notify(paymentId, { facts: [], hint: true });
    await until(paymentId, ({ status }) => status === 'authorized');
    const asks = (await activitiesOf(handle(paymentId))).filter((name) => name === 'askProvider');
    expect(asks).toHaveLength(1);

    // A wait for a decision asks nobody by itself: the hint alone tells of the void.
    await voidInPortal(created.paymentId);
    await client.notify(paymentId, { facts: [], hint: true });
    expect(await ended(paymentId)).toMatchObject({ status: 'voided' });
  });

  test('about an ended payment resumes it and is recorded', async () => {
    const { client, ended, open, store, handle } = harness;
    const { paymentId, created } = await open();
    await client.cancel(paymentId, { reason });
    await ended(paymentId);
    const facts = [authorized(created.paymentId, '1250')];
    expect(await client.notify(paymentId, { facts })).toBe('ended');

    await client.resume(paymentId, { facts });
    const resumed = await harness.until(paymentId, ({ attention }) => attention !== undefined);
    expect(resumed).toMatchObject({ status: 'authorized', flags: ['contradiction'] });
    await vi.waitFor(async () =>
      expect(await store.getPayment(paymentId)).toMatchObject({
        status: 'authorized',
        ended: false,
        flags: ['contradiction'],
      }),
    );
    await handle(paymentId).terminate('the provider knows nothing of it');
  });
});

function authorized(object: string, minor: string) {
  const occurredAt = new Date().toISOString();
  return fact({ kind: 'authorized', object, amount: euros(minor), occurredAt, source: 'query' });
}

/** Somebody voids it at the provider, past us. */
async function voidInPortal(providerReference: string): Promise<void> {
  const { sandbox } = harness;
  const response = await fetch(`${sandbox.url}/v3/payments/${providerReference}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${sandbox.apiKey}` },
  });
  expect(response.status).toBe(204);
}
