import { beforeEach, describe, expect, it, test } from 'vitest';
import type { RefundCourse, SandboxRefund } from '../../src/sandbox/payconiq/refund.js';
import {
  HOUR_MS,
  call,
  create,
  movements,
  paid,
  post,
  sandbox,
  verify,
} from './payconiq-harness.js';
import {
  DELAY_MS,
  amounts,
  askRefund,
  begin,
  getRefund,
  refundOf,
  refunded,
} from './payconiq-refunding.js';
import { signed, startSigned, told } from './payconiq-signed.js';

const UNKNOWN_ID = '5ba35a3d0989e3000758b9c2';

describe('asking for a refund', () => {
  beforeEach(() => begin());

  test('PCQ-11: is answered with every documented field, signed', async () => {
    const id = await paid({ reference: 'r-1' });
    const body = { amount: 50, currency: 'EUR', description: 'Wrong size' };
    const reply = await askRefund(id, { body });
    expect(reply.status).toBe(201);
    expect(reply.json).toEqual({
      refundId: expect.stringMatching(/^[0-9a-f]{24}$/),
      paymentId: id,
      ...body,
      status: 'PENDING',
      creationDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(sandbox.requests().at(-1)).toMatchObject({
      operation: 'refund',
      paymentId: id,
      reference: 'r-1',
      idempotencyKey: 'key-1',
    });
    expect((await verify({ headers: reply.headers, body: reply.text })).kind).toBe('valid');
  });

  it('is for signed requests alone', async () => {
    const id = await paid();
    const headers = { 'idempotency-key': 'key-1' };
    const asked = await post(`/v3/payments/${id}/refunds`, { amount: 50 }, headers);
    expect(told(asked)).toEqual([401, 'UNAUTHORIZED']);
    const read = await call(`/v3/payments/${id}/refunds/${UNKNOWN_ID}`);
    expect(told(read)).toEqual([401, 'UNAUTHORIZED']);
    sandbox.faults.next('refund', { kind: 'answer', code: 'REFUND_NOT_POSSIBLE' });
    const instead = await post(`/v3/payments/${id}/refunds`, { amount: 50 }, headers);
    expect(told(instead)).toEqual([401, 'UNAUTHORIZED']);
    expect(amounts(id)).toEqual([]);
  });

  it.each([
    ['no key', { key: '' }],
    ['a key of 65 characters', { key: 'k'.repeat(65) }],
    ['no body', { body: undefined }],
    ['text', { body: 'hello' }],
    ['no amount', { body: {} }],
    ['amount 0', { body: { amount: 0 } }],
    ['amount 1000000', { body: { amount: 1_000_000 } }],
    ['amount 1.5', { body: { amount: 1.5 } }],
    ['amount as text', { body: { amount: '1' } }],
    ['another currency', { body: { amount: 1, currency: 'USD' } }],
    ['a long description', { body: { amount: 1, description: 'x'.repeat(141) } }],
  ])('is refused for %s', async (_name, asked) => {
    const id = await paid();
    const path = `/v3/payments/${id}/refunds`;
    const headers = { 'idempotency-key': 'key-1' };
    const reply =
      'body' in asked && asked.body === undefined
        ? await signed(path, { method: 'POST', headers })
        : await askRefund(id, asked);
    expect(told(reply)).toEqual([400, 'VALIDATION_ERROR']);
    expect(amounts(id)).toEqual([]);
  });

  it('is refused without the header, and accepted at the limits', async () => {
    const id = await paid({ amount: 999_999 });
    const path = `/v3/payments/${id}/refunds`;
    const bare = await signed(path, { method: 'POST', body: { amount: 1 } });
    expect(told(bare)).toEqual([400, 'VALIDATION_ERROR']);
    const body = { amount: 999_999, description: 'x'.repeat(140) };
    expect((await askRefund(id, { key: 'k'.repeat(64), body })).status).toBe(201);
  });

  it('at a path or with a verb that is not documented is no error of the API', async () => {
    const { id, refundId } = await refunded();
    for (const [method, path] of [
      ['GET', 'refunds'],
      ['POST', `refunds/${refundId}`],
      ['DELETE', `refunds/${refundId}`],
    ] as const) {
      const reply = await signed(`/v3/payments/${id}/${path}`, { method });
      expect([reply.status, reply.json]).toEqual([404, {}]);
    }
  });
});

describe('a refund is refused', () => {
  beforeEach(() => begin({ otherMerchantApiKeys: ['other'] }));

  it('for a payment that is not known, or another merchant’s', async () => {
    const other = { authorization: 'Bearer other' };
    const { json } = await post('/v3/payments', { amount: 122 }, other);
    sandbox.consumer.pay(json.paymentId);
    for (const id of [UNKNOWN_ID, json.paymentId]) {
      expect(told(await askRefund(id))).toEqual([422, 'PAYMENT_FOR_REFUND_NOT_FOUND']);
      expect(told(await getRefund(id, UNKNOWN_ID))).toEqual([404, 'PAYMENT_NOT_FOUND']);
    }
  });

  it('for a payment that has not succeeded', async () => {
    const id = await create();
    expect(told(await askRefund(id))).toEqual([422, 'REFUND_NOT_POSSIBLE']);
    sandbox.consumer.pay(id, { stopAt: 'bank' });
    expect(told(await askRefund(id))).toEqual([422, 'REFUND_NOT_POSSIBLE']);
    sandbox.consumer.settleAtBank(id);
    expect((await askRefund(id)).status).toBe(201);
  });

  it('for more than is left, tip included', async () => {
    const id = await create();
    sandbox.consumer.pay(id, { tip: 10 });
    const ask = (key: string, amount: number) => askRefund(id, { key, body: { amount } });
    expect(told(await ask('a', 133))).toEqual([422, 'INVALID_REFUND_AMOUNT']);
    expect((await ask('a', 100)).status).toBe(201);
    expect(told(await ask('b', 33))).toEqual([422, 'INVALID_REFUND_AMOUNT']);
    expect((await ask('b', 32)).status).toBe(201);
    expect(told(await ask('c', 1))).toEqual([422, 'REFUND_NOT_POSSIBLE']);
    expect(amounts(id)).toEqual([100, 32]);
  });

  it('for the bank app’s payments, until the IBAN is known', async () => {
    const id = await create();
    sandbox.consumer.pay(id, { app: 'bancontact' });
    expect(told(await askRefund(id))).toEqual([422, 'DEBTOR_IBAN_NOT_AVAILABLE']);
    await sandbox.clock.advance(24 * HOUR_MS - 60_000);
    expect(told(await askRefund(id))).toEqual([422, 'DEBTOR_IBAN_NOT_AVAILABLE']);
    await sandbox.clock.advance(60_000);
    expect((await askRefund(id)).status).toBe(201);
  });

  it.each(['REFUND_NOT_ALLOWED', 'REFUND_NOT_POSSIBLE'] as const)(
    'with %s while the provider takes none: of one payment, or at all',
    async (code) => {
      const [one, other] = [await paid(), await paid()];
      sandbox.refunds.refuse(code, one);
      expect(told(await askRefund(one, { key: 'a' }))).toEqual([422, code]);
      expect((await askRefund(other, { key: 'b' })).status).toBe(201);
      sandbox.refunds.accept(one);
      sandbox.refunds.refuse(code);
      expect(told(await askRefund(one, { key: 'a' }))).toEqual([422, code]);
      sandbox.refunds.accept();
      expect((await askRefund(one, { key: 'a' })).status).toBe(201);
    },
  );

  it('never twice for a refund that failed: the amount is free again', async () => {
    const id = await paid();
    sandbox.refunds.course('failed');
    await askRefund(id, { key: 'a', body: { amount: 122 } });
    expect(told(await askRefund(id, { key: 'b' }))).toEqual([422, 'REFUND_NOT_POSSIBLE']);
    await sandbox.clock.advance(DELAY_MS);
    expect((await askRefund(id, { key: 'b' })).status).toBe(201);
  });
});

describe('an idempotency key', () => {
  beforeEach(() => begin());

  it('makes one refund, however often it is sent at the same time', async () => {
    const id = await paid();
    const replies = await Promise.all(Array.from({ length: 100 }, () => askRefund(id)));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(replies.map((reply) => refundOf(reply).refundId)).size).toBe(1);
    expect(amounts(id)).toEqual([50]);
  });

  it('gets the same refund whatever has happened since, PENDING in the answer', async () => {
    const { id, refundId } = await refunded();
    await askRefund(id, { key: 'rest', body: { amount: 72 } });
    await sandbox.clock.advance(DELAY_MS);
    sandbox.refunds.refuse('REFUND_NOT_ALLOWED');
    const again = await askRefund(id);
    expect([again.status, refundOf(again)]).toMatchObject([201, { refundId, status: 'PENDING' }]);
    const spelled = await askRefund(id, { body: { amount: 50, currency: 'EUR' } });
    expect(refundOf(spelled).refundId).toBe(refundId);
    expect(refundOf(await getRefund(id, refundId)).status).toBe('REFUNDED');
  });

  it.each([
    ['amount', { amount: 51 }],
    ['description', { amount: 50, description: 'x' }],
  ])('is taken for another %s', async (_name, body) => {
    const { id } = await refunded();
    expect(told(await askRefund(id, { body }))).toEqual([422, 'REFUND_REQUEST_CONFLICT']);
    expect(amounts(id)).toEqual([50]);
  });

  it('is taken for another payment, a payment that does not exist too', async () => {
    await refunded();
    const other = await paid();
    expect(told(await askRefund(other))).toEqual([422, 'REFUND_REQUEST_CONFLICT']);
    expect(told(await askRefund(UNKNOWN_ID))).toEqual([422, 'REFUND_REQUEST_CONFLICT']);
  });

  it('is not used up by a refusal', async () => {
    const id = await paid();
    expect(told(await askRefund(id, { body: { amount: 123 } }))).toEqual([
      422,
      'INVALID_REFUND_AMOUNT',
    ]);
    expect((await askRefund(id)).status).toBe(201);
  });

  it('of another value makes another refund', async () => {
    const { id } = await refunded();
    expect((await askRefund(id, { key: 'key-2' })).status).toBe(201);
    expect(amounts(id)).toEqual([50, 50]);
  });
});

describe('the life of a refund', () => {
  beforeEach(() => begin());

  test.each<[RefundCourse, string, readonly string[]]>([
    ['refunded', 'REFUNDED', ['refunded 50', 'refund_collected 50']],
    ['processing', 'PROCESSING', ['refunded 50']],
    ['failed', 'FAILED', []],
    ['pending', 'PENDING', []],
  ])('PCQ-12: left to itself on course %s ends at %s', async (course, status, moved) => {
    sandbox.refunds.course(course);
    const { id, refundId } = await refunded();
    expect(refundOf(await getRefund(id, refundId)).status).toBe('PENDING');
    await sandbox.clock.advance(DELAY_MS);
    const { json } = await getRefund(id, refundId);
    expect(json).toMatchObject({ refundId, paymentId: id, amount: 50, currency: 'EUR', status });
    await sandbox.clock.advance(30 * 24 * HOUR_MS);
    expect(refundOf(await getRefund(id, refundId)).status).toBe(status);
    expect(movements(id)).toEqual(['debited 122', 'paid_out 122', ...moved]);
    const entries = sandbox.ledger.ofPayment(id).slice(2);
    expect(entries.every((entry) => entry.refundId === refundId)).toBe(true);
  });

  it('keeps its pace, which is two seconds unless told', async () => {
    const { refundId } = await refunded();
    await sandbox.clock.advance(DELAY_MS - 60_000);
    expect(sandbox.refunds.find(refundId)?.status).toBe('PENDING');
    await sandbox.clock.advance(60_000);
    expect(sandbox.refunds.find(refundId)?.status).toBe('REFUNDED');
    await sandbox.close();
    await startSigned({ refundCourse: 'failed' });
    const { refundId: other } = await refunded();
    await sandbox.clock.advance(2_000);
    expect(sandbox.refunds.find(other)?.status).toBe('FAILED');
  });

  it('is advanced by hand, each step once', async () => {
    const { id, refundId } = await refunded();
    const { advance, reverse } = sandbox.refunds;
    expect(() => reverse(refundId)).toThrow('is PENDING');
    expect(advance(refundId, 'PROCESSING').status).toBe('PROCESSING');
    expect(() => advance(refundId, 'FAILED')).toThrow('is PROCESSING, not to be FAILED');
    expect(advance(refundId, 'REFUNDED').status).toBe('REFUNDED');
    await sandbox.clock.advance(DELAY_MS);
    expect(() => advance(refundId, 'FAILED')).toThrow('is REFUNDED, not to be FAILED');
    expect(() => advance(UNKNOWN_ID, 'FAILED')).toThrow('no refund');
    expect(movements(id).slice(2)).toEqual(['refunded 50', 'refund_collected 50']);
    const { history } = sandbox.refunds.find(refundId) as SandboxRefund;
    expect(history.map(({ status }) => status)).toEqual(['PENDING', 'PROCESSING', 'REFUNDED']);
  });

  it('passes through PROCESSING, and may be sent back by the consumer’s bank', async () => {
    const { id, refundId } = await refunded();
    sandbox.refunds.advance(refundId, 'REFUNDED');
    expect(sandbox.refunds.reverse(refundId).status).toBe('FAILED');
    expect(refundOf(await getRefund(id, refundId)).status).toBe('FAILED');
    expect(movements(id).slice(2)).toEqual([
      'refunded 50',
      'refund_collected 50',
      'refund_reversed 50',
    ]);
    expect((await askRefund(id, { key: 'key-2', body: { amount: 122 } })).status).toBe(201);
  });

  it('is read under its own payment only', async () => {
    const { id, refundId } = await refunded();
    const other = await paid();
    expect(told(await getRefund(other, refundId))).toEqual([404, 'REFUND_NOT_FOUND']);
    expect(told(await getRefund(id, UNKNOWN_ID))).toEqual([404, 'REFUND_NOT_FOUND']);
    expect(sandbox.requests().at(-1)).toMatchObject({ operation: 'get_refund', paymentId: id });
  });

  it('may begin at the portal, which nobody asked through the API', async () => {
    const id = await paid();
    const { refundId, idempotencyKey } = sandbox.refunds.makeAtPortal(id, 100);
    expect(idempotencyKey).toBeUndefined();
    expect(told(await askRefund(id))).toEqual([422, 'INVALID_REFUND_AMOUNT']);
    await sandbox.clock.advance(DELAY_MS);
    expect(refundOf(await getRefund(id, refundId)).status).toBe('REFUNDED');
    expect(() => sandbox.refunds.makeAtPortal(id, 23)).toThrow('refund of 23');
    const unpaid = await create();
    expect(() => sandbox.refunds.makeAtPortal(unpaid, 1)).toThrow('is not paid');
  });

  it('is awaited, whether it comes or is there', async () => {
    const paymentId = await paid();
    const coming = sandbox.refunds.waitFor({ paymentId });
    const { refundId } = refundOf(await askRefund(paymentId));
    expect((await coming).refundId).toBe(refundId);
    const done = sandbox.refunds.waitFor({ refundId, status: 'REFUNDED' });
    await sandbox.clock.advance(DELAY_MS);
    expect((await done).refundedAt).toBeGreaterThan(0);
    expect((await sandbox.refunds.waitFor({ paymentId })).refundId).toBe(refundId);
    const never = expect(sandbox.refunds.waitFor({ status: 'FAILED' })).rejects.toThrow('closed');
    await sandbox.close();
    await never;
  });
});
