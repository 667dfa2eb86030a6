import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fact } from '../../src/domain/facts.js';
import type { Repair, RepairCommand } from '../../src/domain/payment.js';
import { startHarness, type Harness, type OpenedPayment } from '../support/harness.js';
import { loseCallbacks, movements, RELEASED, sent, TAKEN } from './observed.js';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({ notifications: true });
  await harness.startWorker();
});
afterAll(() => harness.close());

const euros = (minor: string) => ({ minor, currency: 'EUR' });
const by = { actor: 'ada', reason: 'the payer says so' };

/** Ended as cancelled, while its payer has paid after all: then news of it comes. */
async function authorizedLate(): Promise<OpenedPayment> {
  const { client, sandbox, ended, open } = harness;
  const opened = await open({ captureMode: 'manual' });
  await harness.until(opened.paymentId, ({ status }) => status === 'requires_action');
  const { created } = opened;
  loseCallbacks(sandbox, opened.request.merchantReference);
  await client.notify(opened.paymentId, { facts: [expired(created.paymentId)] });
  await ended(opened.paymentId);
  sandbox.consumer.pay(created.paymentId);
  return opened;
}

function expired(object: string) {
  return fact({ kind: 'expired', object, occurredAt: new Date().toISOString(), source: 'query' });
}

describe.concurrent('a late authorization', () => {
  test('takes an ended payment up again, and is held for a person', async () => {
    const { client, sandbox, until } = harness;
    const { paymentId, created, request } = await authorizedLate();
    await client.resume(paymentId, { facts: [], hint: true });
    const payment = await until(paymentId, ({ status }) => status === 'authorized');
    expect(payment).toMatchObject({ ended: false, flags: ['contradiction'] });

    await client.void(paymentId, { reason: 'it was given up' });
    expect(await harness.ended(paymentId)).toMatchObject({ status: 'voided' });
    expect(movements(sandbox, request.merchantReference)).toEqual(RELEASED);
    expect(created.paymentId).toBe(payment.providerReference);
  });
});

describe.concurrent('a late command', () => {
  test('takes an ended payment up again, which answers it', async () => {
    const { client, ended, open } = harness;
    const { paymentId } = await open();
    await client.cancel(paymentId, { reason: 'changed our mind' });
    await ended(paymentId);
    await expect(client.capture(paymentId)).rejects.toMatchObject({
      code: 'conflict',
      message: /only an authorized payment can be captured; this one is canceled/ as unknown,
    });
    expect(await client.cancel(paymentId, { reason: 'again' })).toMatchObject({
      payment: { status: 'canceled' },
    });
    expect(await ended(paymentId)).toMatchObject({ status: 'canceled', ended: true });
  });

  test('on a payment that never was is not found, and keeps nobody from opening it', async () => {
    const { client } = harness;
    const paymentId = randomUUID();
    const command = client.void(paymentId, { reason: 'too early' });
    await expect(command).rejects.toMatchObject({ code: 'not_found' });
    const { created } = await harness.open({ paymentId });
    expect(await client.get(paymentId)).toMatchObject({ providerReference: created.paymentId });
    await client.cancel(paymentId, { reason: 'tidy' });
  });

  test('is refused where its caller wants no ended payment', async () => {
    const { client, ended, open } = harness;
    const { paymentId } = await open();
    await client.cancel(paymentId, { reason: 'changed our mind' });
    await ended(paymentId);
    await expect(client.capture(paymentId, { whenEnded: 'refuse' })).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

describe.concurrent('a repair', () => {
  test('asks the provider about an ended payment, and what it says is pursued', async () => {
    const { client, sandbox, until, store } = harness;
    const { paymentId, request } = await authorizedLate();
    const answer = await client.repair(paymentId, { repair: { kind: 'ask' }, ...by });
    expect(answer).toMatchObject({
      payment: {
        status: 'authorized',
        repairs: [{ repair: { kind: 'ask' }, ...by, at: expect.any(String) as string }],
      },
    });
    await until(paymentId, ({ attention }) => attention !== undefined);
    await client.capture(paymentId);
    expect(await harness.ended(paymentId)).toMatchObject({ status: 'captured' });
    expect(movements(sandbox, request.merchantReference)).toEqual(TAKEN);
    expect(await store.getPayment(paymentId)).toMatchObject({ repairs: [by] });
  });

  test('states what a person has evidence of', async () => {
    const { client, ended, open, sandbox } = harness;
    const { paymentId, request } = await open();
    const evidence = { kind: 'captured', amount: euros('1250') } as const;
    await client.repair(paymentId, { repair: { kind: 'state', fact: evidence }, ...by });
    expect(await ended(paymentId)).toMatchObject({
      status: 'captured',
      amounts: { captured: euros('1250') },
    });
    expect(sent(sandbox, request.merchantReference)).toEqual(['create']);
  });

  test('allows what the provider has refused for good once more', async () => {
    const { client, open, sandbox, until } = harness;
    const opened = await open({ captureMode: 'manual' });
    const { paymentId, created, request } = opened;
    sandbox.consumer.pay(created.paymentId);
    await until(paymentId, ({ status }) => status === 'authorized');
    const where = { paymentId: created.paymentId };
    const refusal = { kind: 'answer', code: 'CALLER_NOT_ALLOWED_TO_CANCEL' } as const;
    const refusing = sandbox.faults.always('void', refusal, { where });
    await client.void(paymentId, { reason: 'sold out' });
    await until(paymentId, ({ attention }) => attention?.reason === 'void_refused');
    refusing.remove();
    await client.repair(paymentId, { repair: { kind: 'retry', operation: 'void' }, ...by });
    expect(await harness.ended(paymentId)).toMatchObject({ status: 'voided' });
    expect(movements(sandbox, request.merchantReference)).toEqual(RELEASED);
  });

  test('dismisses what has been looked at, until there is news', async () => {
    const { client, open, ended, store, until } = harness;
    const { paymentId, created } = await open();
    const paid = (amount: string) =>
      fact({
        kind: 'captured',
        object: created.paymentId,
        amount: euros(amount),
        occurredAt: new Date().toISOString(),
        source: 'report',
      });
    await client.notify(paymentId, { facts: [paid('1300')] });
    const wrong = await ended(paymentId);
    expect(wrong).toMatchObject({ flags: ['amount_differs'], attention: {} });
    const listed = async () => {
      const filter = { needsAttention: true, limit: 100 };
      const { payments } = await store.listPayments(filter);
      return payments.map((each) => each.paymentId).includes(paymentId);
    };
    expect(await listed()).toBe(true);

    await client.repair(paymentId, { repair: { kind: 'dismiss' }, ...by });
    expect((await ended(paymentId)).attention).toBeUndefined();
    expect(await listed()).toBe(false);

    await client.resume(paymentId, { facts: [paid('1400')] });
    await until(paymentId, ({ attention }) => attention !== undefined);
    await ended(paymentId);
    expect(await listed()).toBe(true);
  });

  test.each<[string, Partial<Record<keyof RepairCommand, unknown>>, RegExp]>([
    ['an actor', { actor: '' }, /actor: must have 1 to 200 characters/],
    ['a reason', { reason: undefined }, /reason: must have/],
    ['a kind', { repair: { kind: 'undo' } }, /repair.kind: must be one of ask, state/],
    ['an operation', { repair: { kind: 'retry', operation: 'create' } }, /repair.operation/],
    ['a fact', { repair: { kind: 'state', fact: { kind: 'created' } } }, /repair.fact.kind/],
    [
      'an amount of its currency',
      {
        repair: {
          kind: 'state',
          fact: { kind: 'captured', amount: { minor: '1', currency: 'USD' } },
        },
      },
      /repair.fact.amount: must be given, in EUR/,
    ],
  ])('without %s that makes sense is refused', async (_what, changes, message) => {
    const { client, open } = harness;
    const { paymentId } = await open();
    const repair: Repair = { kind: 'dismiss' };
    const asked = { repair, ...by, ...changes } as RepairCommand;
    await expect(client.repair(paymentId, asked)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(message) as string,
    });
    await client.cancel(paymentId, { reason: 'tidy' });
  });
});
