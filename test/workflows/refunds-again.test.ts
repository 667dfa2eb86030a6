import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startHarness, type Harness } from '../support/harness.js';
import { euros, refunding } from '../support/refunding.js';

/** Refunds that are taken up again: their workflow was lost, or a person makes them go on. */
let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({ notifications: true, signed: true });
  harness.sandbox.refunds.course('pending');
  await harness.startWorker();
});
afterAll(() => harness.close());

const { captured, ask, until, recorded, ended, ...tools } = refunding(() => harness);
const { atProvider, keysSent, fault, terminate } = tools;
const person = { actor: 'ann', reason: 'the payer is asking' };
const askAgain = (refundId: string) =>
  harness.client.refunds.repair(refundId, { ...person, repair: { kind: 'ask' } });

describe.concurrent('PCQ-11: a refund whose workflow is gone', () => {
  test('is the same refund when it is asked for again: sent once, recorded to its end', async () => {
    const { paymentId, object } = await captured();
    const { refundId } = await ask(paymentId, { amount: euros('100'), description: 'Cold' });
    await recorded(refundId, ({ status }) => status === 'pending');
    await terminate(refundId);
    const again = await ask(paymentId, { refundId, amount: euros('100'), description: 'Colder' });
    expect(again).toMatchObject({ status: 'pending', description: 'Cold' });
    harness.sandbox.refunds.advance(atProvider(object)[0]!.refundId, 'REFUNDED');
    await ended(refundId);
    expect(await harness.store.refunds.get(refundId)).toMatchObject({
      status: 'succeeded',
      ended: true,
    });
    expect(keysSent(object)).toHaveLength(1);
  });

  test('while it was not possible yet goes out under the key it had', async () => {
    const { paymentId, object } = await captured();
    const refusing = fault({ kind: 'answer', code: 'DEBTOR_IBAN_NOT_AVAILABLE' }, object, 1_000);
    const { refundId } = await ask(paymentId);
    await recorded(refundId, ({ operation }) => operation?.state === 'not_sent');
    await terminate(refundId);
    refusing.remove();
    expect(await ask(paymentId, { refundId })).toMatchObject({ status: 'pending' });
    expect(new Set(keysSent(object))).toEqual(new Set([`${refundId}/refund/1`]));
  });

  test('while its outcome was unknown goes out as it was described', async () => {
    const { paymentId, object } = await captured();
    const lost = fault({ kind: 'reset_after_effect' }, object, 1_000);
    const { refundId } = await ask(paymentId, { description: 'Cold' });
    await recorded(refundId, ({ status }) => status === 'unknown');
    await terminate(refundId);
    lost.remove();
    await ask(paymentId, { refundId, description: 'Colder' });
    await until(refundId, ({ status }) => status === 'pending');
    expect(atProvider(object)).toMatchObject([{ description: 'Cold' }]);
  });
});

/** A refund that was made, whose answer was lost, and whose repeats are refused as too much. */
async function ambiguous() {
  const payment = await captured();
  fault({ kind: 'reset_after_effect' }, payment.object);
  const refusing = fault({ kind: 'answer', code: 'INVALID_REFUND_AMOUNT' }, payment.object, 1_000);
  const { refundId } = await ask(payment.paymentId);
  await until(refundId, ({ attention }) => attention !== undefined);
  return { ...payment, refundId, refusing };
}

describe.concurrent('PCQ-11: a refund that may have been made, asked for by a person', () => {
  test('and refused again as too much stays unknown, and its amount set aside', async () => {
    const { paymentId, object, refundId, refusing } = await ambiguous();
    const before = refusing.hits();
    await askAgain(refundId);
    const isRefusedAgain = () => refusing.hits() >= before + 2;
    const stuck = await until(refundId, ({ attention }) => isRefusedAgain() && !!attention);
    expect(stuck).toMatchObject({
      status: 'unknown',
      operation: { problem: { code: 'ambiguous_refusal' } },
    });
    expect(await harness.store.refunds.refundable(paymentId)).toEqual(euros('0'));
    expect(atProvider(object)).toHaveLength(1);
  });

  test('and throttled is not taken for unsent: it cannot be cancelled', async () => {
    const { paymentId, object, refundId, refusing } = await ambiguous();
    refusing.remove();
    const throttling = fault({ kind: 'throttle' }, object, 1_000);
    await askAgain(refundId);
    await throttling.hit;
    await expect(harness.client.refunds.cancel(refundId, person)).rejects.toMatchObject({
      code: 'operation_in_flight',
    });
    expect(await harness.store.refunds.refundable(paymentId)).toEqual(euros('0'));
    throttling.remove();
    expect(await until(refundId, ({ status }) => status !== 'unknown')).toMatchObject({
      status: 'pending',
    });
    expect(atProvider(object)).toHaveLength(1);
  });

  test('and refused for another reason is believed once nothing can still arrive', async () => {
    const { paymentId, object, refundId, refusing } = await ambiguous();
    refusing.remove();
    fault({ kind: 'answer', code: 'REFUND_NOT_POSSIBLE' }, object, 1_000);
    const askedAtMs = Date.now();
    await askAgain(refundId);
    const failed = await until(refundId, ({ status }) => status === 'failed');
    expect(failed.problem).toMatchObject({ providerCode: 'REFUND_NOT_POSSIBLE' });
    expect(Date.now() - askedAtMs).toBeGreaterThan(3_500);
    await ended(refundId);
    expect(await harness.store.refunds.refundable(paymentId)).toEqual(euros('1250'));
  });
});

describe.concurrent('a person who states how a refund stands', () => {
  test('cannot state that money which the payer has had did not move', async () => {
    const { paymentId, object } = await captured();
    const { refundId } = await ask(paymentId);
    harness.sandbox.refunds.advance(atProvider(object)[0]!.refundId, 'PROCESSING');
    await until(refundId, ({ status }) => status === 'processing');
    const stating = (status: 'failed' | 'reversed') =>
      harness.client.refunds.repair(refundId, { ...person, repair: { kind: 'state', status } });
    await expect(stating('failed')).rejects.toMatchObject({ code: 'conflict' });
    await stating('reversed');
    await ended(refundId);
    expect(await harness.store.refunds.get(refundId)).toMatchObject({
      status: 'reversed',
      ended: true,
    });
    expect(await harness.store.refunds.refundable(paymentId)).toEqual(euros('1250'));
  });

  test('is told where there is no such refund', async () => {
    await expect(askAgain(randomUUID())).rejects.toMatchObject({ code: 'not_found' });
  });
});
