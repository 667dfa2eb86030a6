import { beforeEach, describe, expect, it } from 'vitest';
import {
  HOUR_MS,
  call,
  callbackUrl,
  create,
  post,
  received,
  sandbox,
  start,
} from './payconiq-harness.js';

describe('the control API', () => {
  beforeEach(() => start({ voidSupport: true }));

  it('drives a payment through its life', async () => {
    const id = await create({ reference: 'r-1' });
    const scanned = await post(`/sandbox/payments/${id}/scan`);
    expect([scanned.status, scanned.json.status]).toEqual([200, 'IDENTIFIED']);
    await post(`/sandbox/payments/${id}/confirm`, { tip: 8 });
    const { json } = await call('/sandbox/ledger');
    expect(json).toMatchObject([{ kind: 'debited', paymentId: id, amountMinor: 130 }]);
    await post('/sandbox/clock/advance', { ms: 168 * HOUR_MS });
    const found = (await call('/sandbox/payments?reference=r-1')).json;
    expect(found).toMatchObject([{ paymentId: id, status: 'VOIDED' }]);
    expect((await call('/sandbox/requests')).json).toMatchObject([{ operation: 'create' }]);
    expect((await call('/sandbox/callbacks')).json).toHaveLength(2);
  });

  it('arms and releases faults', async () => {
    const fault = { kind: 'slow' };
    const { json } = await post('/sandbox/faults', { target: 'create', fault });
    const reply = post('/v3/payments', { amount: 1, reference: 'r-1' });
    await sandbox.waitForPayment('r-1');
    expect((await post(`/sandbox/faults/${json.id}/release`)).json).toEqual({ hits: 1 });
    expect((await reply).status).toBe(201);
    await post('/sandbox/faults', { target: 'any', fault: { kind: 'throttle' }, times: 9 });
    expect((await post('/v3/payments', { amount: 1 })).status).toBe(429);
    await call('/sandbox/faults', { method: 'DELETE' });
    expect((await post('/v3/payments', { amount: 1 })).status).toBe(201);
  });

  it('registers a payment at a loyalty scheme, once it is paid', async () => {
    const id = await create({ reference: 'r-1' });
    const match = { url: callbackUrl, userAccountId: 'member-1' };
    const path = `/sandbox/payments/${id}/loyalty`;
    expect((await post(path, match)).status).toBe(409);
    await post(`/sandbox/payments/${id}/pay`);
    expect((await post(path, match)).status).toBe(409);
    await post(`/v3/payments/${id}/acknowledge`, { amount: sandbox.payment(id)!.amount });
    await sandbox.callbacks.idle();
    const { json } = await post(path, match);
    expect(json).toEqual({ answer: 200, body: '' });
    const { headers, body } = received.at(-1)!;
    expect(headers).toMatchObject({ 'user-agent': 'Payconiq Payments/v3' });
    expect(headers['signature']).toMatch(/^[\w-]+\.\.[\w-]+$/);
    expect(JSON.parse(body)).toEqual({
      userAccountId: 'member-1',
      payment: { paymentId: id, amount: sandbox.payment(id)!.amount, currency: 'EUR' },
    });
    expect((await post(path, { url: callbackUrl })).status).toBe(400);
    expect((await post(path, { ...match, forgery: 'magic' })).status).toBe(400);
  });

  it('lists what there is', async () => {
    expect((await call('/sandbox')).json).toContain('POST /sandbox/payments/{id}/pay');
    const { text, headers } = await call('/qrcode?c=https%3A%2F%2Fpayconiq.com%2Fpay%2F2%2Fx');
    expect(headers['content-type']).toBe('image/svg+xml');
    expect(text).toContain('https://payconiq.com/pay/2/x');
  });

  it.each([
    ['POST', '/sandbox/payments/none/pay', {}, 409],
    ['POST', '/sandbox/clock/advance', { ms: 'soon' }, 400],
    ['POST', '/sandbox/clock/advance', { ms: -1 }, 400],
    ['POST', '/sandbox/clock/advance', 'hello', 400],
    ['POST', '/sandbox/faults', { target: 'moon', fault: { kind: 'slow' } }, 400],
    ['POST', '/sandbox/faults', { target: 'create', fault: { kind: 'lose' } }, 400],
    ['POST', '/sandbox/faults', { target: 'callback', fault: { kind: 'slow' } }, 400],
    ['POST', '/sandbox/faults/77/release', {}, 400],
    ['GET', '/sandbox/none', undefined, 404],
  ] as const)('refuses %s %s %j with %d', async (method, path, body, status) => {
    expect((await call(path, { method, body })).status).toBe(status);
  });
});
