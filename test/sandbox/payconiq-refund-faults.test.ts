import { beforeEach, describe, expect, it } from 'vitest';
import type { RequestFault } from '../../src/sandbox/payconiq/faults.js';
import { call, failureOf, paid, post, sandbox } from './payconiq-harness.js';
import { DELAY_MS, amounts, askRefund, begin, getRefund, refunded } from './payconiq-refunding.js';
import { told } from './payconiq-signed.js';

describe('faults of refunds', () => {
  beforeEach(() => begin());

  it.each<[RequestFault, string, number]>([
    [{ kind: 'reset_before_effect' }, 'ECONNRESET', 0],
    [{ kind: 'reset_after_effect' }, 'ECONNRESET', 1],
    [{ kind: 'cut_body' }, 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 1],
  ])(
    '%j ends in %s, with %d refunds made, and is repeated with its key',
    async (fault, code, n) => {
      const id = await paid({ reference: 'r-1' });
      sandbox.faults.next('refund', fault, { reference: 'r-1' });
      expect(await failureOf(askRefund(id))).toBe(code);
      expect(amounts(id)).toHaveLength(n);
      expect((await askRefund(id)).status).toBe(201);
      expect(amounts(id)).toEqual([50]);
    },
  );

  it.each([
    ['refund', 'VALIDATION_ERROR', 400],
    ['refund', 'UNAUTHORIZED', 401],
    ['refund', 'ACCESS_DENIED', 403],
    ['refund', 'PAYMENT_NOT_FOUND', 404],
    ['refund', 'PAYMENT_FOR_REFUND_NOT_FOUND', 422],
    ['refund', 'INVALID_REFUND_AMOUNT', 422],
    ['refund', 'REFUND_NOT_ALLOWED', 422],
    ['refund', 'REFUND_NOT_POSSIBLE', 422],
    ['refund', 'DEBTOR_IBAN_NOT_AVAILABLE', 422],
    ['refund', 'REFUND_REQUEST_CONFLICT', 422],
    ['refund', 'TECHNICAL_ERROR', 500],
    ['refund', 'TRY_AGAIN_LATER', 503],
    ['get_refund', 'REFUND_NOT_FOUND', 404],
    ['get_refund', 'PAYMENT_NOT_FOUND', 404],
  ] as const)('answer %s with %s (%d), whatever is true', async (operation, code, status) => {
    const { id, refundId } = await refunded();
    sandbox.faults.next(operation, { kind: 'answer', code }, { paymentId: id });
    const ask = () => (operation === 'refund' ? askRefund(id) : getRefund(id, refundId));
    expect(told(await ask())).toEqual([status, code]);
    expect((await ask()).status).toBe(operation === 'refund' ? 201 : 200);
  });
});

describe('the control API of refunds', () => {
  beforeEach(() => begin({ refundCourse: 'pending' }));

  it('drives a refund through its life', async () => {
    const { id, refundId } = await refunded();
    expect((await call('/sandbox/refunds')).json).toMatchObject([{ refundId, status: 'PENDING' }]);
    const path = `/sandbox/refunds/${refundId}`;
    expect((await post(`${path}/reverse`)).status).toBe(409);
    expect((await post(`${path}/advance`, { status: 'PENDING' })).status).toBe(400);
    const advanced = await post(`${path}/advance`, { status: 'REFUNDED' });
    expect([advanced.status, advanced.json.status]).toEqual([200, 'REFUNDED']);
    expect((await post(`${path}/reverse`)).json.status).toBe('FAILED');
    expect((await call('/sandbox/refunds?paymentId=none')).json).toEqual([]);
    expect((await call(`/sandbox/refunds?paymentId=${id}`)).json).toHaveLength(1);
  });

  it('makes refunds at the portal, sets their course, and refuses them', async () => {
    const id = await paid();
    await post('/sandbox/refunds/course', { course: 'failed' });
    expect((await post('/sandbox/refunds/course', { course: 'moon' })).status).toBe(400);
    const portal = `/sandbox/payments/${id}/refund-at-portal`;
    expect((await post(portal, { amount: 123 })).status).toBe(409);
    const { json } = await post(portal, { amount: 100 });
    expect(json).toMatchObject({ paymentId: id, amount: 100, status: 'PENDING' });
    await sandbox.clock.advance(DELAY_MS);
    expect(sandbox.refunds.ofPayment(id)).toMatchObject([{ status: 'FAILED' }]);
    await post('/sandbox/refunds/refuse', { code: 'REFUND_NOT_ALLOWED' });
    expect(told(await askRefund(id))).toEqual([422, 'REFUND_NOT_ALLOWED']);
    await post('/sandbox/refunds/accept');
    await post('/sandbox/refunds/refuse', { code: 'REFUND_NOT_POSSIBLE', paymentId: id });
    expect(told(await askRefund(id))).toEqual([422, 'REFUND_NOT_POSSIBLE']);
    await post('/sandbox/refunds/accept', { paymentId: id });
    expect((await askRefund(id)).status).toBe(201);
    expect((await post('/sandbox/refunds/refuse', { code: 'NO' })).status).toBe(400);
  });
});
