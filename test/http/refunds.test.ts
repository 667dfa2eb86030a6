import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Payment } from '../../src/domain/payment.js';
import type { Refund } from '../../src/domain/refund.js';
import {
  paymentRefunds,
  refund as refundShape,
  refundPage,
} from '../../src/http/refund-schemas.js';
import { type Harness } from '../support/harness.js';
import { euros, refunding } from '../support/refunding.js';
import {
  harnessWithDoor,
  openBody,
  paymentIn,
  serve,
  storeThatIsDown,
  type Answered,
  type Call,
  type TestServer,
} from './support.js';

let harness: Harness;
let server: TestServer;

beforeAll(async () => {
  const prepared = await harnessWithDoor({ signed: true });
  harness = prepared.harness;
  harness.sandbox.refunds.course('pending');
  server = await serve(harness, { port: prepared.port });
  await harness.startWorker();
});
afterAll(async () => {
  await server.close();
  await harness.close();
});

const { captured, until, recorded, ended, atProvider, keysSent, fault } = refunding(() => harness);

function ask(paymentId: string, call: Call = {}): Promise<Answered> {
  const idempotencyKey = randomUUID();
  return server.call('POST', `/v1/payments/${paymentId}/refunds`, { idempotencyKey, ...call });
}

/** The answer's body as the refund that it is, in the shape that is documented. */
function refundIn({ status, body }: Answered): Refund {
  expect([200, 201]).toContain(status);
  refundShape.parse(body);
  return body as Refund;
}

async function asked(paymentId: string, body?: object): Promise<Refund> {
  const answer = await ask(paymentId, { body });
  expect(answer.status).toBe(201);
  return refundIn(answer);
}

describe('PCQ-11: a refund over the API', () => {
  it('is taken, told, listed and done, as documented', async () => {
    const { paymentId, object } = await captured();
    const body = { amount: euros('350'), description: 'One coffee was cold' };
    const answer = await ask(paymentId, { body });
    const made = refundIn(answer);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`/v1/refunds/${made.refundId}`);
    expect(made.refundId).toMatch(/^ref_[a-z2-7]{32}$/);
    expect(made).toMatchObject({ ...body, paymentId, status: 'pending', ended: false });
    expect(atProvider(object)).toMatchObject([{ amount: 350, refundId: made.providerReference }]);

    harness.sandbox.refunds.advance(made.providerReference!, 'REFUNDED');
    await ended(made.refundId);
    const done = refundIn(await server.call('GET', `/v1/refunds/${made.refundId}`));
    expect(done).toMatchObject({ status: 'succeeded', ended: true });
    const list = await server.call('GET', `/v1/payments/${paymentId}/refunds`);
    expect(paymentRefunds.parse(list.body)).toEqual({
      refunds: [done],
      refundable: euros('900'),
    });
    const payment = paymentIn(await server.call('GET', `/v1/payments/${paymentId}`));
    expect(payment.amounts.refunded).toEqual(euros('350'));
  });

  it('without a body is of all that is left, under the id its caller chose', async () => {
    const { paymentId } = await captured();
    await asked(paymentId, { amount: euros('1000') });
    const refundId = `mine-${randomUUID()}`;
    expect(await asked(paymentId, { refundId })).toMatchObject({
      refundId,
      amount: euros('250'),
    });
  });

  it('can be asked for as soon as the capture has been answered', async () => {
    const opening = { body: openBody({ captureMode: 'manual' }), idempotencyKey: randomUUID() };
    const opened = paymentIn(await server.call('POST', '/v1/payments', opening));
    const { paymentId } = opened;
    harness.sandbox.consumer.pay(opened.providerReference!);
    await harness.until(paymentId, ({ status }: Payment) => status === 'authorized');
    const capture = await server.call('POST', `/v1/payments/${paymentId}/capture`);
    expect(paymentIn(capture).status).toBe('captured');
    expect(await asked(paymentId, { amount: euros('1') })).toMatchObject({ status: 'pending' });
  });
});

describe('an Idempotency-Key of a refund', () => {
  it('has one refund and one answer, to the byte, also after the end', async () => {
    const { paymentId, object } = await captured();
    const call = { idempotencyKey: randomUUID(), body: { amount: euros('100') } };
    const first = await ask(paymentId, call);
    const repeat = await ask(paymentId, call);
    harness.sandbox.refunds.advance(refundIn(first).providerReference!, 'REFUNDED');
    await ended(refundIn(first).refundId);
    const late = await ask(paymentId, call);
    for (const again of [repeat, late]) {
      expect(again.status).toBe(201);
      expect(again.text).toBe(first.text);
      expect(again.headers.get('location')).toBe(first.headers.get('location'));
      expect(again.headers.get('idempotency-replayed')).toBe('true');
    }
    expect(keysSent(object)).toHaveLength(1);
  });

  it('is for one body and one payment alone', async () => {
    const [{ paymentId }, other] = await Promise.all([captured(), captured()]);
    const idempotencyKey = randomUUID();
    await ask(paymentId, { idempotencyKey, body: { amount: euros('100') } });
    const wrong = [
      await ask(paymentId, { idempotencyKey, body: { amount: euros('101') } }),
      await ask(paymentId, { idempotencyKey }),
      await ask(other.paymentId, { idempotencyKey, body: { amount: euros('100') } }),
    ];
    for (const { body } of wrong) {
      expect(body).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
    }
    expect(atProvider(other.object)).toEqual([]);
  });

  it('lets one of many through at a time', async () => {
    const { paymentId, object } = await captured();
    const call = { idempotencyKey: randomUUID(), body: { amount: euros('100') } };
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => ask(paymentId, call)));
    const refused = answers.filter(({ status }) => status === 409);
    for (const { body } of refused) expect(body).toMatchObject({ code: 'request_in_progress' });
    expect(answers.filter(({ status }) => status === 201).length).toBe(5 - refused.length);
    expect(atProvider(object)).toHaveLength(1);
  });

  it('may be another for an id that is kept: the same refund, or a conflict', async () => {
    const { paymentId, object } = await captured();
    const body = { refundId: randomUUID(), amount: euros('100') };
    const first = await asked(paymentId, body);
    expect((await asked(paymentId, body)).providerReference).toBe(first.providerReference);
    const other = await ask(paymentId, { body: { ...body, amount: euros('99') } });
    expect(other.body).toMatchObject({ status: 409, code: 'conflict' });
    expect(atProvider(object)).toHaveLength(1);
  });
});

describe('a refund that is refused', () => {
  let untouched: ReturnType<typeof captured> | undefined;
  const wrong: readonly [what: string, body: unknown, violation: object][] = [
    ['no money', { amount: euros('0') }, { field: 'amount.minor', value: '0' }],
    ['a decimal', { amount: euros('3.50') }, { field: 'amount.minor', value: '3.50' }],
    [
      'an amount without its currency',
      { amount: { minor: '1' } },
      { field: 'amount.currency', rule: 'is required' },
    ],
    [
      'a currency that the provider does not take',
      { amount: { minor: '1', currency: 'USD' } },
      { field: 'amount.currency', rule: 'must be EUR: Payconiq supports only euros', value: 'USD' },
    ],
    [
      'a description that is too long for the provider',
      { description: 'd'.repeat(141) },
      { field: 'description', rule: 'must be at most 140 characters at Payconiq' },
    ],
    [
      'a description that is too long for anybody',
      { description: 'd'.repeat(513) },
      { field: 'description', rule: 'must have 1 to 512 characters' },
    ],
    [
      'a card number',
      { description: 'to card 4111 1111 1111 1111' },
      { field: 'description', rule: 'must not contain a card number' },
    ],
    ['an id that is none', { refundId: '../x' }, { field: 'refundId' }],
    ['an unknown field', { amout: 1 }, { field: 'amout', rule: 'is not known here' }],
  ];

  it.each(wrong)('for %s names field and rule, and never reaches the provider', async (...row) => {
    const [, body, violation] = row;
    const { paymentId, object } = await (untouched ??= captured());
    const answer = await ask(paymentId, { body });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({
      status: 400,
      code: 'invalid_request',
      violations: [violation],
    });
    expect(keysSent(object)).toEqual([]);
    expect((await harness.store.refunds.list({ paymentId, limit: 1 })).refunds).toEqual([]);
  });

  it('for want of a key names it', async () => {
    const { paymentId } = await captured();
    const answer = await server.call('POST', `/v1/payments/${paymentId}/refunds`);
    expect(answer.body).toMatchObject({
      status: 400,
      violations: [{ field: 'idempotency-key', rule: 'is required' }],
    });
  });

  it('for want of money is kept as rejected, and so is its answer', async () => {
    const { paymentId, object } = await captured();
    const call = { idempotencyKey: randomUUID(), body: { amount: euros('1251') } };
    const first = await ask(paymentId, call);
    expect(first.body).toMatchObject({
      status: 409,
      code: 'amount_unavailable',
      detail: 'no more than EUR 12.50 is left to refund of what is known to be captured',
    });
    expect((await ask(paymentId, call)).text).toBe(first.text);
    expect(keysSent(object)).toEqual([]);
    const { body } = await server.call('GET', `/v1/payments/${paymentId}/refunds`);
    expect(paymentRefunds.parse(body)).toMatchObject({
      refunds: [{ status: 'rejected', problem: { code: 'amount_unavailable' }, ended: true }],
      refundable: euros('1250'),
    });
  });

  it('of an object that the payment has not is for want of money', async () => {
    const { paymentId } = await captured();
    const answer = await ask(paymentId, { body: { paymentReference: 'another' } });
    expect(answer.body).toMatchObject({ status: 409, code: 'amount_unavailable' });
  });

  it('of a payment that is not captured is for want of money', async () => {
    const opening = { body: openBody(), idempotencyKey: randomUUID() };
    const { paymentId } = paymentIn(await server.call('POST', '/v1/payments', opening));
    const answer = await ask(paymentId, { body: { amount: euros('1') } });
    expect(answer.body).toMatchObject({ status: 409, code: 'amount_unavailable' });
  });

  it('of no payment that there is is not found, and its key stays free', async () => {
    const paymentId = randomUUID();
    const idempotencyKey = randomUUID();
    const answer = await ask(paymentId, { idempotencyKey });
    expect(answer.body).toMatchObject({ status: 404, code: 'not_found' });
    expect((await ask(paymentId, { idempotencyKey })).headers.has('idempotency-replayed')).toBe(
      false,
    );
    const list = await server.call('GET', `/v1/payments/${paymentId}/refunds`);
    expect(list.body).toMatchObject({ status: 404, code: 'not_found' });
    const read = await server.call('GET', `/v1/refunds/${randomUUID()}`);
    expect(read.body).toMatchObject({ status: 404, code: 'not_found' });
  });

  it.each([
    ['INVALID_REFUND_AMOUNT', 'amount_unavailable'],
    ['REFUND_NOT_POSSIBLE', 'not_possible'],
  ] as const)('by the provider with %s was begun, and has failed', async (code, expected) => {
    const { paymentId, object } = await captured();
    fault({ kind: 'answer', code }, object);
    expect(await asked(paymentId)).toMatchObject({
      status: 'failed',
      problem: { code: expected, providerCode: code },
    });
  });
});

describe('refunds that cannot be begun', () => {
  it('while the store is down are 503, before anything starts', async () => {
    const { paymentId, object } = await captured();
    const cutOff = await serve(harness, { store: await storeThatIsDown() });
    const call = { idempotencyKey: randomUUID(), body: { amount: euros('5') } };
    const path = `/v1/payments/${paymentId}/refunds`;
    const refused = await cutOff.call('POST', path, call);
    expect(refused.body).toMatchObject({ status: 503, code: 'store_unavailable' });
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(keysSent(object)).toEqual([]);
    const made = refundIn(await ask(paymentId, call));
    // Its workflow tells of it while the store does not.
    const read = refundIn(await cutOff.call('GET', `/v1/refunds/${made.refundId}`));
    expect(read.refundId).toBe(made.refundId);
    await cutOff.close();
  });

  it('on a connection without signed requests are unsupported', async () => {
    const plain = await harnessWithDoor();
    const unsigned = await serve(plain.harness, { port: plain.port });
    await plain.harness.startWorker();
    const { paymentId, object } = await refunding(() => plain.harness).captured();
    const call = { idempotencyKey: randomUUID() };
    const answer = await unsigned.call('POST', `/v1/payments/${paymentId}/refunds`, call);
    expect(answer.body).toMatchObject({
      status: 422,
      code: 'unsupported',
      detail: 'connection shop cannot refund payments',
    });
    expect(refunding(() => plain.harness).keysSent(object)).toEqual([]);
    const { refunds } = await plain.harness.store.refunds.list({ paymentId, limit: 1 });
    expect(refunds).toEqual([]);
    await unsigned.close();
    await plain.harness.close();
  });
});

describe('refunds of which no answer comes in time', { timeout: 60_000 }, () => {
  it('are 202, and the same refund when there is a worker again', async () => {
    const late = await harnessWithDoor({ signed: true });
    const api = await serve(late.harness, { port: late.port });
    const tools = refunding(() => late.harness);
    late.harness.sandbox.refunds.course('pending');
    await late.harness.startWorker();
    const { paymentId, object } = await tools.captured();
    await late.harness.stopWorker();
    const path = `/v1/payments/${paymentId}/refunds`;
    const call = { idempotencyKey: randomUUID(), body: { amount: euros('100') } };
    const answer = await api.call('POST', path, call);
    expect(answer.status).toBe(202);
    const { refundId } = answer.body as { refundId: string };
    expect(answer.body).toEqual({ refundId });
    expect(answer.headers.get('location')).toBe(`/v1/refunds/${refundId}`);
    expect((await api.call('POST', path, call)).text).toBe(answer.text);
    await late.harness.startWorker();
    await tools.until(refundId, ({ status }) => status === 'pending');
    expect(refundIn(await api.call('GET', `/v1/refunds/${refundId}`))).toMatchObject({ paymentId });
    expect(tools.keysSent(object)).toHaveLength(1);
    await api.close();
    await late.harness.close();
  });
});

describe('the list of refunds', () => {
  const list = async (query: string) => {
    const { body } = await server.call('GET', `/v1/refunds?${query}`);
    return refundPage.parse(body);
  };

  it('goes by payment, connection, status and attention, newest first', async () => {
    const { paymentId, object } = await captured();
    const first = await asked(paymentId, { amount: euros('1') });
    const second = await asked(paymentId, { amount: euros('2') });
    fault({ kind: 'answer', code: 'REFUND_REQUEST_CONFLICT' }, object, 1_000);
    const third = await asked(paymentId, { amount: euros('3') });
    await until(third.refundId, ({ attention }) => attention !== undefined);
    await recorded(third.refundId, ({ attention }) => attention !== undefined);
    const alarmed = await list(`paymentId=${paymentId}&needsAttention=true`);
    expect(idsOf(alarmed)).toEqual([third.refundId]);
    const all = [third, second, first].map(({ refundId }) => refundId);
    expect(idsOf(await list(`paymentId=${paymentId}`))).toEqual(all);
    expect(idsOf(await list(`paymentId=${paymentId}&connectionId=shop`))).toEqual(all);
    expect(idsOf(await list(`paymentId=${paymentId}&connectionId=nowhere`))).toEqual([]);
    expect(idsOf(await list(`paymentId=${paymentId}&status=pending`))).toEqual(all.slice(1));
    expect(idsOf(await list(`paymentId=${paymentId}&needsAttention=false`))).toEqual(all.slice(1));
  });

  it('comes in pages', async () => {
    const { paymentId } = await captured();
    const made: string[] = [];
    for (const minor of ['1', '2', '3']) {
      made.unshift((await asked(paymentId, { amount: euros(minor) })).refundId);
    }
    const page = await list(`paymentId=${paymentId}&limit=2`);
    expect(idsOf(page)).toEqual(made.slice(0, 2));
    const rest = await list(`paymentId=${paymentId}&limit=2&cursor=${page.nextCursor}`);
    expect(idsOf(rest)).toEqual(made.slice(2));
    expect(rest.nextCursor).toBeUndefined();
  });

  it.each([
    ['limit=0', { field: 'limit', value: '0' }],
    ['status=paid', { field: 'status', value: 'paid' }],
    ['needsAttention=maybe', { field: 'needsAttention', rule: 'must be one of true, false' }],
    ['cursor=abc', { field: 'cursor', rule: 'is no cursor of this list' }],
    ['colour=red', { field: 'colour', rule: 'is not known here' }],
  ])('is refused by %s', async (query, violation) => {
    const answer = await server.call('GET', `/v1/refunds?${query}`);
    expect(answer.body).toMatchObject({ status: 400, violations: [violation] });
  });
});

function idsOf({ refunds }: { readonly refunds: readonly { refundId: string }[] }): string[] {
  return refunds.map(({ refundId }) => refundId);
}

describe('what is done to a refund', () => {
  const cancel = (refundId: string, call: Call = {}) =>
    server.call('POST', `/v1/refunds/${refundId}/cancel`, { body: { reason: 'kept it' }, ...call });
  const repair = (refundId: string, body: object, call: Call = {}) =>
    server.call('POST', `/v1/refunds/${refundId}/repairs`, { body, key: 'operator', ...call });
  const who = { actor: 'ann', reason: 'the payer is asking' };

  it('cancel ends what waits for the provider, once for its key', async () => {
    const { paymentId, object } = await captured();
    fault({ kind: 'answer', code: 'DEBTOR_IBAN_NOT_AVAILABLE' }, object, 1_000);
    const { refundId, status } = await asked(paymentId);
    expect(status).toBe('reserved');
    const idempotencyKey = randomUUID();
    const first = await cancel(refundId, { idempotencyKey });
    expect(refundIn(first)).toMatchObject({ status: 'failed', problem: { code: 'withdrawn' } });
    await ended(refundId);
    expect((await cancel(refundId, { idempotencyKey })).text).toBe(first.text);
    expect(refundIn(await cancel(refundId))).toMatchObject({ status: 'failed' });
    const list = await server.call('GET', `/v1/payments/${paymentId}/refunds`);
    expect(paymentRefunds.parse(list.body).refundable).toEqual(euros('1250'));
  });

  it('cancel is refused for what was taken, or may have been', async () => {
    const [taken, unsure] = await Promise.all([captured(), captured()]);
    const { refundId } = await asked(taken.paymentId);
    expect((await cancel(refundId)).body).toMatchObject({ status: 409, code: 'conflict' });
    fault({ kind: 'reset_after_effect' }, unsure.object, 1_000);
    const unknown = await asked(unsure.paymentId);
    expect(unknown.status).toBe('unknown');
    expect((await cancel(unknown.refundId)).body).toMatchObject({
      status: 409,
      code: 'operation_in_flight',
    });
    expect((await cancel(randomUUID())).body).toMatchObject({ status: 404, code: 'not_found' });
    expect((await cancel(refundId, { body: {} })).body).toMatchObject({
      status: 400,
      violations: [{ field: 'reason', rule: 'is required' }],
    });
  });

  it('repairs ask, state and dismiss, and are kept', async () => {
    const { paymentId, object } = await captured();
    fault({ kind: 'answer', code: 'REFUND_REQUEST_CONFLICT' }, object, 1_000);
    const { refundId } = await asked(paymentId, { amount: euros('5') });
    await until(refundId, ({ attention }) => attention?.reason === 'key_conflict');
    const dismissed = refundIn(await repair(refundId, { repair: { kind: 'dismiss' }, ...who }));
    expect(dismissed.attention).toBeUndefined();
    const stated = { kind: 'state', status: 'succeeded' };
    const nameless = await repair(refundId, { repair: stated, ...who });
    expect(nameless.body).toMatchObject({ status: 400, code: 'invalid_request' });
    const repaired = { repair: { ...stated, providerReference: 'f'.repeat(24) }, ...who };
    expect(refundIn(await repair(refundId, repaired))).toMatchObject({
      status: 'succeeded',
      repairs: [{ repair: { kind: 'dismiss' }, ...who }, repaired],
    });
    await ended(refundId);
    expect((await repair(randomUUID(), repaired)).body).toMatchObject({ status: 404 });
  });

  it.each([
    [{ repair: { kind: 'mend' }, ...who }, { field: 'repair.kind' }],
    [{ repair: { kind: 'state', status: 'pending' }, ...who }, { field: 'repair.status' }],
    [
      { repair: { kind: 'ask' }, reason: 'nobody' },
      { field: 'actor', rule: 'is required' },
    ],
    [
      { repair: { kind: 'ask' }, actor: 'ann' },
      { field: 'reason', rule: 'is required' },
    ],
  ])('a wrong repair is refused: %j', async (body, violation) => {
    const answer = await repair('nobodys', body);
    expect(answer.body).toMatchObject({ status: 400, violations: [violation] });
  });

  it.each([
    ['reader', 'POST', '/v1/payments/p1/refunds', 'payments:write'],
    ['operator', 'GET', '/v1/payments/p1/refunds', 'payments:read'],
    ['operator', 'GET', '/v1/refunds', 'payments:read'],
    ['operator', 'GET', '/v1/refunds/r1', 'payments:read'],
    ['reader', 'POST', '/v1/refunds/r1/cancel', 'payments:write'],
    ['shop', 'POST', '/v1/refunds/r1/repairs', 'operations'],
  ] as const)('%s may not %s %s', async (key, method, path, scope) => {
    const answer = await server.call(method, path, { key });
    expect(answer.body).toMatchObject({
      status: 403,
      code: 'forbidden',
      detail: `This needs the scope ${scope}.`,
    });
  });
});
