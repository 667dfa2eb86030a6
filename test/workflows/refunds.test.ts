import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refundWorkflowId } from '../../src/domain/ids.js';
import type { FaultFor } from '../../src/sandbox/payconiq/faults.js';
import { REFUND_WORKFLOW, type OpenRefundInput } from '../../src/workflows/contract.js';
import { startHarness, type Harness } from '../support/harness.js';
import { euros, refunding } from '../support/refunding.js';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({ notifications: true, signed: true });
  harness.sandbox.refunds.course('pending');
  await harness.startWorker();
});
afterAll(() => harness.close());

const { captured, ask, until, ended, atProvider, keysSent, fault } = refunding(() => harness);

describe.concurrent('a refund', () => {
  test('is set aside, sent once, and followed until both sides are done', async () => {
    const { paymentId, object } = await captured();
    const asked = await ask(paymentId, { amount: euros('350'), description: 'Cold coffee' });
    const [made] = atProvider(object);
    expect(asked).toMatchObject({
      status: 'pending',
      amount: euros('350'),
      paymentReference: object,
      providerReference: made?.refundId,
      operation: { state: 'succeeded', sequence: 1 },
    });
    expect(made).toMatchObject({ amount: 350, description: 'Cold coffee' });
    harness.sandbox.refunds.advance(made!.refundId, 'PROCESSING');
    await until(asked.refundId, ({ status }) => status === 'processing');
    expect(await harness.store.getPayment(paymentId)).toMatchObject({ status: 'captured' });
    harness.sandbox.refunds.advance(made!.refundId, 'REFUNDED');
    expect(await ended(asked.refundId)).toMatchObject({ status: 'succeeded', ended: true });
    expect(await harness.store.refunds.get(asked.refundId)).toMatchObject({ status: 'succeeded' });
    const { amounts } = (await harness.store.getPayment(paymentId))!;
    expect(amounts).toMatchObject({ captured: euros('1250'), refunded: euros('350') });
    expect(keysSent(object)).toEqual([`${asked.refundId}/refund/1`]);
  });

  test('without an amount is of all that is left', async () => {
    const { paymentId } = await captured();
    await ask(paymentId, { amount: euros('1000') });
    expect(await ask(paymentId)).toMatchObject({ status: 'pending', amount: euros('250') });
    expect(await ask(paymentId)).toMatchObject({
      status: 'rejected',
      ended: true,
      problem: { code: 'amount_unavailable' },
    });
  });

  test('asked for again under its id is the same refund, also after its end', async () => {
    const { paymentId, object } = await captured();
    const refundId = randomUUID();
    const first = await ask(paymentId, { refundId, amount: euros('100') });
    const again = await ask(paymentId, { refundId, amount: euros('100') });
    expect(again.providerReference).toBe(first.providerReference);
    harness.sandbox.refunds.advance(first.providerReference!, 'REFUNDED');
    await ended(refundId);
    expect(await ask(paymentId, { refundId, amount: euros('100') })).toMatchObject({
      status: 'succeeded',
    });
    expect(atProvider(object)).toHaveLength(1);
    await expect(ask(paymentId, { refundId, amount: euros('101') })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  test('goes out once though its history is gone and it is begun anew', async () => {
    const { paymentId, object } = await captured();
    const { refundId } = await ask(paymentId, { amount: euros('100') });
    const [made] = atProvider(object);
    harness.sandbox.refunds.advance(made!.refundId, 'REFUNDED');
    await ended(refundId);
    const request = { refundId, paymentId, requestedAt: new Date().toISOString() };
    const input: OpenRefundInput = { mode: 'open', request, timing: 'fast' };
    const anew = await harness.temporalClient.workflow.execute(REFUND_WORKFLOW, {
      workflowId: refundWorkflowId(refundId),
      taskQueue: harness.taskQueue,
      args: [input],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    });
    expect(anew).toMatchObject({ status: 'succeeded', amount: euros('100') });
    expect(keysSent(object)).toHaveLength(1);
  });

  test('that failed at the provider gives its amount free', async () => {
    const { paymentId, object } = await captured();
    const { refundId } = await ask(paymentId);
    harness.sandbox.refunds.advance(atProvider(object)[0]!.refundId, 'FAILED');
    expect(await ended(refundId)).toMatchObject({
      status: 'failed',
      problem: { code: 'declined_by_provider' },
    });
    expect(await harness.store.refunds.refundable(paymentId)).toEqual(euros('1250'));
    expect(await ask(paymentId)).toMatchObject({ status: 'pending', amount: euros('1250') });
  });

  test('of what is not captured, or not known, is refused', async () => {
    const { paymentId } = await harness.open();
    await expect(ask(randomUUID())).rejects.toMatchObject({ code: 'not_found' });
    await harness.store.getPayment(paymentId);
    expect(await ask(paymentId)).toMatchObject({
      status: 'rejected',
      problem: { code: 'amount_unavailable' },
    });
  });

  test('that breaks a rule is refused before anything is sent', async () => {
    const { paymentId, object } = await captured();
    await expect(ask(paymentId, { refundId: 'not an id' })).rejects.toMatchObject({
      code: 'invalid_request',
      problem: { violations: [{ field: 'refundId' }] },
    });
    const long = await ask(paymentId, { description: 'x'.repeat(141) });
    expect(long).toMatchObject({
      status: 'rejected',
      problem: { code: 'invalid_request', violations: [{ field: 'description' }] },
    });
    expect(keysSent(object)).toEqual([]);
  });
});

const LOST: readonly (readonly [string, FaultFor<'refund'>])[] = [
  ['reset before it was done', { kind: 'reset_before_effect' }],
  ['reset after it was done', { kind: 'reset_after_effect' }],
  ['500 before it was done', { kind: 'error_before_effect' }],
  ['503 after it was done', { kind: 'error_after_effect', status: 503 }],
  ['cut off', { kind: 'cut_body' }],
  ['garbage', { kind: 'garbage' }],
  ['garbage, and nothing was done', { kind: 'garbage', effect: 'never' }],
  ['too late', { kind: 'slow', effect: 'before' }],
  ['too late, and done even later', { kind: 'slow', effect: 'after', ms: 2_000 }],
  ['throttled', { kind: 'throttle' }],
];

describe.concurrent('PCQ-11: a refund whose answer is lost', () => {
  test.each(LOST)('%s: goes out again with its own key, and happens once', async (_name, what) => {
    const { paymentId, object } = await captured();
    const armed = fault(what, object, 2);
    const { refundId } = await ask(paymentId, { amount: euros('400') });
    await until(refundId, ({ status }) => status === 'pending');
    armed.remove();
    const keys = keysSent(object);
    expect(keys.length).toBeGreaterThan(1);
    expect(new Set(keys)).toEqual(new Set([`${refundId}/refund/1`]));
    expect(atProvider(object)).toMatchObject([{ amount: 400 }]);
    harness.sandbox.refunds.advance(atProvider(object)[0]!.refundId, 'REFUNDED');
    await ended(refundId);
    const moved = harness.sandbox.ledger
      .ofPayment(object)
      .filter(({ kind }) => kind === 'refunded');
    expect(moved.map(({ amountMinor }) => amountMinor)).toEqual([400]);
  });

  test('needs a person when it stays unknown, and none once it is known', async () => {
    const { paymentId, object } = await captured();
    const armed = fault({ kind: 'reset_before_effect' }, object, 1_000);
    const { refundId, status } = await ask(paymentId, { amount: euros('400') });
    expect(status).toBe('unknown');
    const alarmed = await until(refundId, ({ attention }) => attention !== undefined);
    expect(alarmed).toMatchObject({ status: 'unknown', attention: { reason: 'outcome_unknown' } });
    expect(await harness.store.refunds.refundable(paymentId)).toEqual(euros('850'));
    armed.remove();
    const known = await until(refundId, (refund) => refund.status === 'pending');
    expect(known.attention).toBeUndefined();
    expect(known.unknownSince).toBeUndefined();
    expect(atProvider(object)).toHaveLength(1);
  });
});

describe.concurrent('PCQ-11: a refund that the provider refuses', () => {
  test.each([
    ['INVALID_REFUND_AMOUNT', 'amount_unavailable'],
    ['REFUND_NOT_ALLOWED', 'not_allowed'],
    ['REFUND_NOT_POSSIBLE', 'not_possible'],
    ['PAYMENT_FOR_REFUND_NOT_FOUND', 'not_found'],
    ['VALIDATION_ERROR', 'provider_refused'],
  ] as const)('with %s has failed, and its amount is free', async (code, expected) => {
    const { paymentId, object } = await captured();
    fault({ kind: 'answer', code }, object);
    expect(await ask(paymentId)).toMatchObject({
      status: 'failed',
      problem: { code: expected, providerCode: code },
    });
    expect(await harness.store.refunds.refundable(paymentId)).toEqual(euros('1250'));
    expect(keysSent(object)).toHaveLength(1);
  });

  test('after a lost answer is believed only when nothing can still arrive', async () => {
    const { paymentId, object } = await captured();
    fault({ kind: 'slow', effect: 'after', ms: 1_500 }, object);
    const refusing = fault({ kind: 'answer', code: 'REFUND_NOT_POSSIBLE' }, object, 1);
    const { refundId } = await ask(paymentId, { amount: euros('10') });
    await refusing.hit;
    const found = await until(refundId, ({ status }) => status !== 'unknown');
    // The first request was slow, and done in the end: the refusal in between proved nothing.
    expect(found).toMatchObject({ status: 'pending' });
    expect(atProvider(object)).toHaveLength(1);
  });

  test('as too much, after a lost answer, proves nothing: the money may have gone', async () => {
    const { paymentId, object } = await captured();
    fault({ kind: 'reset_after_effect' }, object);
    const refusing = fault({ kind: 'answer', code: 'INVALID_REFUND_AMOUNT' }, object, 1_000);
    const { refundId } = await ask(paymentId);
    const stuck = await until(refundId, ({ attention }) => attention !== undefined);
    expect(stuck).toMatchObject({
      status: 'unknown',
      attention: { reason: 'outcome_unknown' },
      operation: { problem: { code: 'ambiguous_refusal', providerCode: 'INVALID_REFUND_AMOUNT' } },
    });
    expect(await harness.store.refunds.refundable(paymentId)).toEqual(euros('0'));
    refusing.remove();
    const person = { actor: 'ann', reason: 'Payconiq says its check is mended' };
    await harness.client.refunds.repair(refundId, { ...person, repair: { kind: 'ask' } });
    expect(await until(refundId, ({ status }) => status !== 'unknown')).toMatchObject({
      status: 'pending',
    });
    expect(atProvider(object)).toHaveLength(1);
  });

  test('with DEBTOR_IBAN_NOT_AVAILABLE waits a day, and goes out with the same key', async () => {
    const { paymentId, object } = await captured();
    const refusing = fault({ kind: 'answer', code: 'DEBTOR_IBAN_NOT_AVAILABLE' }, object, 2);
    const asked = await ask(paymentId, { amount: euros('700') });
    expect(asked).toMatchObject({
      status: 'reserved',
      problem: { code: 'not_available_yet', providerCode: 'DEBTOR_IBAN_NOT_AVAILABLE' },
    });
    expect(asked.attention).toBeUndefined();
    const done = await until(asked.refundId, ({ status }) => status === 'pending');
    expect(done.problem).toBeUndefined();
    expect(refusing.hits()).toBe(2);
    expect(keysSent(object)).toEqual(Array(3).fill(`${asked.refundId}/refund/1`));
  });

  test('with REFUND_REQUEST_CONFLICT needs a person, who states how it stands', async () => {
    const { paymentId, object } = await captured();
    fault({ kind: 'answer', code: 'REFUND_REQUEST_CONFLICT' }, object, 1_000);
    const asked = await ask(paymentId, { amount: euros('5') });
    const { refundId } = asked;
    const stuck = await until(refundId, ({ attention }) => attention !== undefined);
    expect(stuck).toMatchObject({ status: 'unknown', attention: { reason: 'key_conflict' } });
    expect(await harness.store.refunds.refundable(paymentId)).toEqual(euros('1245'));
    const { refunds } = harness.client;
    const person = { actor: 'ann', reason: 'seen in the portal' };
    const succeeded = { kind: 'state', status: 'succeeded' } as const;
    await expect(refunds.repair(refundId, { ...person, repair: succeeded })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('providerReference') as string,
    });
    const providerReference = 'f'.repeat(24);
    await refunds.repair(refundId, { ...person, repair: { ...succeeded, providerReference } });
    expect(await ended(refundId)).toMatchObject({
      status: 'succeeded',
      providerReference,
      repairs: [{ ...person, repair: { status: 'succeeded' } }],
    });
    expect((await harness.store.getPayment(paymentId))?.amounts.refunded).toEqual(euros('5'));
    expect(atProvider(object)).toEqual([]);
  });
});

describe.concurrent('PCQ-12: a refund under way', () => {
  test('is overdue when the provider does not collect it in time, and done when it does', async () => {
    const { paymentId, object } = await captured();
    const { refundId } = await ask(paymentId, { amount: euros('300') });
    const [made] = atProvider(object);
    harness.sandbox.refunds.advance(made!.refundId, 'PROCESSING');
    await until(refundId, ({ status }) => status === 'processing');
    const late = await until(refundId, ({ attention }) => attention !== undefined);
    expect(late).toMatchObject({ status: 'processing', attention: { reason: 'overdue' } });
    harness.sandbox.refunds.advance(made!.refundId, 'REFUNDED');
    const done = await ended(refundId);
    expect(done.status).toBe('succeeded');
    expect(done.attention).toBeUndefined();
  });

  test('that came back after its end is found by asking, and gives its amount free', async () => {
    const { paymentId, object } = await captured();
    const { refundId } = await ask(paymentId, { amount: euros('300') });
    const [made] = atProvider(object);
    harness.sandbox.refunds.advance(made!.refundId, 'REFUNDED');
    await ended(refundId);
    harness.sandbox.refunds.reverse(made!.refundId);
    const person = { actor: 'ann', reason: 'the payer says it never came' };
    await harness.client.refunds.repair(refundId, { ...person, repair: { kind: 'ask' } });
    expect(await ended(refundId)).toMatchObject({
      status: 'reversed',
      attention: { reason: 'reversed' },
      repairs: [person],
    });
    const { amounts, flags } = (await harness.store.getPayment(paymentId))!;
    expect([amounts.refunded, flags]).toEqual([euros('0'), []]);
    expect(await harness.store.refunds.refundable(paymentId)).toEqual(euros('1250'));
    await harness.client.refunds.repair(refundId, {
      ...person,
      repair: { kind: 'dismiss' },
    });
    const seen = await ended(refundId);
    expect([seen.status, seen.attention]).toEqual(['reversed', undefined]);
  });

  test('is asked for on and on while the provider gives no usable answer', async () => {
    const { paymentId, object } = await captured();
    const { refundId } = await ask(paymentId, { amount: euros('300') });
    const where = { paymentId: object };
    const failing = harness.sandbox.faults.always('get_refund', { kind: 'garbage' }, { where });
    harness.sandbox.refunds.advance(atProvider(object)[0]!.refundId, 'REFUNDED');
    await failing.hit;
    failing.remove();
    expect(await ended(refundId)).toMatchObject({ status: 'succeeded' });
  });
});

describe.concurrent('cancelling a refund', () => {
  const reason = 'the payer changed their mind';

  test('that waits for the provider ends it, and gives its amount free', async () => {
    const { paymentId, object } = await captured();
    fault({ kind: 'answer', code: 'DEBTOR_IBAN_NOT_AVAILABLE' }, object, 1_000);
    const { refundId } = await ask(paymentId);
    const answer = await harness.client.refunds.cancel(refundId, { reason });
    expect(answer).toMatchObject({ refund: { status: 'failed', problem: { code: 'withdrawn' } } });
    await ended(refundId);
    expect(await harness.store.refunds.refundable(paymentId)).toEqual(euros('1250'));
  });

  test('that is on its way is refused', async () => {
    const { paymentId, object } = await captured();
    fault({ kind: 'reset_after_effect' }, object, 1_000);
    const unsure = await ask(paymentId, { amount: euros('1') });
    const cancelling = (refundId: string) => harness.client.refunds.cancel(refundId, { reason });
    await expect(cancelling(unsure.refundId)).rejects.toMatchObject({
      code: 'operation_in_flight',
    });
    const other = await captured();
    const { refundId } = await ask(other.paymentId);
    await expect(cancelling(refundId)).rejects.toMatchObject({ code: 'conflict' });
    await expect(cancelling(randomUUID())).rejects.toMatchObject({ code: 'not_found' });
  });

  test('in Temporal is a wish like another: what was sent is seen through', async () => {
    const { paymentId, object } = await captured();
    const { refundId } = await ask(paymentId);
    await harness.temporalClient.workflow.getHandle(refundWorkflowId(refundId)).cancel();
    harness.sandbox.refunds.advance(atProvider(object)[0]!.refundId, 'REFUNDED');
    expect(await ended(refundId)).toMatchObject({ status: 'succeeded' });
  });
});
