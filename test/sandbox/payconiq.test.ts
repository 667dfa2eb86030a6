import { beforeEach, describe, expect, it } from 'vitest';
import { startPayconiqSandbox } from '../../src/sandbox/payconiq/sandbox.js';
import {
  HOUR_MS,
  acknowledge,
  callbackUrl,
  create,
  get,
  movements,
  post,
  remove,
  sandbox,
  start,
  statusOf,
  statuses,
} from './payconiq-harness.js';

describe('creating a payment', () => {
  beforeEach(() => start());

  it('answers with every documented field', async () => {
    const asked = {
      amount: 122,
      callbackUrl,
      currency: 'EUR',
      description: 'Tea',
      reference: 'r-1',
    };
    const { status, json } = await post('/v3/payments', asked);
    expect(status).toBe(201);
    expect(json).toMatchObject({
      status: 'PENDING',
      description: 'Tea',
      reference: 'r-1',
      amount: 122,
      currency: 'EUR',
      creditor: {
        profileId: sandbox.profileId,
        merchantId: sandbox.merchantId,
        name: 'Merchant Name',
        iban: 'NL47FRBK0293409698',
        callbackUrl,
      },
    });
    const id = json.paymentId;
    expect(id).toMatch(/^[0-9a-f]{24}$/);
    expect(Date.parse(json.expiresAt) - Date.parse(json.createdAt)).toBe(120_000);
    const self = `${sandbox.url}/v3/payments/${id}`;
    const deeplink = `https://payconiq.com/pay/2/${id}`;
    expect(json._links).toEqual({
      self: { href: self },
      deeplink: { href: deeplink },
      qrcode: { href: `${sandbox.url}/qrcode?c=${encodeURIComponent(deeplink)}` },
      cancel: { href: self },
    });
  });

  it('is repeated, not deduplicated, for one reference', async () => {
    await create({ reference: 'same' });
    await create({ reference: 'same' });
    expect(sandbox.payments({ reference: 'same' })).toHaveLength(2);
  });

  it.each([
    ['no body', undefined, 'BODY_MISSING', 'A JSON body needs to be provided'],
    ['text', 'hello', 'BODY_MISSING', 'A JSON body needs to be provided'],
    ['a list', [], 'BODY_MISSING', 'A JSON body needs to be provided'],
    ['no amount', {}, 'FIELD_IS_REQUIRED', "Field 'amount' is mandatory"],
    ['amount null', { amount: null }, 'FIELD_IS_REQUIRED', "Field 'amount' is mandatory"],
    ['amount 0', { amount: 0 }, 'FIELD_IS_INVALID', /'amount'/],
    ['amount 1000000', { amount: 1_000_000 }, 'FIELD_IS_INVALID', /'amount'/],
    ['amount 1.5', { amount: 1.5 }, 'FIELD_IS_INVALID', /'amount'/],
    ['amount as text', { amount: '1' }, 'FIELD_IS_INVALID', /'amount'/],
    ['another currency', { amount: 1, currency: 'USD' }, 'FIELD_IS_INVALID', /'currency'/],
    [
      '141 characters',
      { amount: 1, description: 'x'.repeat(141) },
      'FIELD_IS_INVALID',
      /'description'/,
    ],
    [
      'a long reference',
      { amount: 1, reference: 'x'.repeat(36) },
      'FIELD_IS_INVALID',
      /'reference'/,
    ],
    ['a long bulkId', { amount: 1, bulkId: 'x'.repeat(36) }, 'FIELD_IS_INVALID', /'bulkId'/],
    ['no URL', { amount: 1, callbackUrl: 'hook' }, 'FIELD_IS_INVALID', /'callbackUrl'/],
    [
      'a long returnUrl',
      { amount: 1, returnUrl: 'x'.repeat(2049) },
      'FIELD_IS_INVALID',
      /'returnUrl'/,
    ],
  ])('is refused for %s', async (_name, body, code, message) => {
    const { status, json } = await post('/v3/payments', body);
    expect(status).toBe(400);
    expect(json).toMatchObject({
      code,
      message: expect.stringMatching(message),
      traceId: expect.stringMatching(/^[0-9a-f]{16}$/),
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(sandbox.payments()).toEqual([]);
  });

  it('is accepted at the limits', async () => {
    const texts = {
      description: 'x'.repeat(140),
      reference: 'x'.repeat(35),
      bulkId: 'x'.repeat(35),
    };
    const { status } = await post('/v3/payments', { amount: 999_999, ...texts });
    expect(status).toBe(201);
  });

  it('at a point of sale needs a posId', async () => {
    const refused = await post('/v3/payments/pos', { amount: 1 });
    expect(refused.json).toMatchObject({
      code: 'FIELD_IS_REQUIRED',
      message: "Field 'posId' is mandatory",
    });
    const pos = { amount: 1, posId: 'POS1', shopId: 'S1', shopName: 'Bun Café' };
    const { status, json } = await post('/v3/payments/pos', pos);
    expect(status).toBe(201);
    expect(sandbox.consumer.scanSticker('POS1').paymentId).toBe(json.paymentId);
  });

  it('is not for everybody', async () => {
    const answerTo = async (headers: Record<string, string>): Promise<unknown[]> => {
      const { status, json } = await post('/v3/payments', { amount: 1 }, headers);
      return [status, json.code];
    };
    expect(await answerTo({ authorization: '' })).toEqual([401, 'UNAUTHORIZED']);
    expect(await answerTo({ authorization: 'Bearer wrong' })).toEqual([401, 'UNAUTHORIZED']);
    expect(await answerTo({ authorization: sandbox.apiKey })).toEqual([401, 'UNAUTHORIZED']);
  });

  it('at a wrong path is no error of the API', async () => {
    const reply = await post('/v3/payments/payments/x/acknowledge', { amount: 1 });
    expect([reply.status, reply.json]).toEqual([404, {}]);
  });
});

describe('an online payment', () => {
  beforeEach(() => start({ product: 'online' }));

  it('lives twenty minutes and has a checkout page when it has a returnUrl', async () => {
    const returnUrl = 'https://shop.example/done?a=b';
    const { json } = await post('/v3/payments', { amount: 1, returnUrl });
    expect(Date.parse(json.expiresAt) - Date.parse(json.createdAt)).toBe(1_200_000);
    const checkout = new URL(json._links['checkout']?.href ?? '');
    expect(checkout.pathname).toBe(`/pay/2/${json.paymentId}`);
    expect(checkout.searchParams.get('token')).toMatch(/^[0-9a-f]{64}$/);
    expect(checkout.searchParams.get('returnUrl')).toBe(returnUrl);
  });

  it('has none without', async () => {
    const { json } = await post('/v3/payments', { amount: 1 });
    expect(json._links['checkout']).toBeUndefined();
  });

  it('cannot have void support', async () => {
    const options = { product: 'online', voidSupport: true } as const;
    await expect(startPayconiqSandbox(options)).rejects.toThrow(RangeError);
  });
});

describe('the life of a payment', () => {
  beforeEach(() => start());

  it('runs from scan to success, with a tip', async () => {
    const id = await create({ reference: 'r-1', bulkId: 'b-1' });
    expect((await get(id)).json).not.toHaveProperty('debtor');
    sandbox.consumer.scan(id);
    const identified = (await get(id)).json;
    expect(identified).toMatchObject({ status: 'IDENTIFIED', debtor: { name: 'John' } });
    sandbox.consumer.confirm(id, { tip: 10, message: 'Thanks' });
    const { json } = await get(id);
    expect(json).toMatchObject({
      paymentId: id,
      status: 'SUCCEEDED',
      amount: 122,
      tippingAmount: 10,
      transferAmount: 132,
      totalAmount: 132,
      message: 'Thanks',
      reference: 'r-1',
      bulkId: 'b-1',
      debtor: { name: 'John', iban: '*************12636' },
    });
    expect(json).toHaveProperty('expireAt');
    expect(json).toHaveProperty('succeededAt');
    expect(json).not.toHaveProperty('expiresAt');
    expect(json._links).toHaveProperty('refund');
    expect(json._links).not.toHaveProperty('cancel');
    expect(movements(id)).toEqual(['debited 132', 'paid_out 132']);
  });

  it('passes through AUTHORIZED, which is not money', async () => {
    const id = await create();
    sandbox.consumer.pay(id, { stopAt: 'bank' });
    expect(statusOf(id)).toBe('AUTHORIZED');
    expect(movements(id)).toEqual([]);
    expect((await remove(id)).json.code).toBe('PAYMENT_NOT_PENDING');
    await sandbox.clock.advance(HOUR_MS);
    expect(statusOf(id)).toBe('AUTHORIZED');
    sandbox.consumer.settleAtBank(id);
    expect(movements(id)).toEqual(['debited 122', 'paid_out 122']);
  });

  it.each(['PENDING', 'IDENTIFIED'])('expires at %s, when its time is over', async (status) => {
    const id = await create();
    if (status === 'IDENTIFIED') sandbox.consumer.scan(id);
    await sandbox.clock.advance(119_000);
    expect(statusOf(id)).toBe(status);
    await sandbox.clock.advance(1_000);
    expect((await get(id)).json.status).toBe('EXPIRED');
    expect(() => sandbox.consumer.scan(id)).toThrow('is EXPIRED');
    expect(statuses()).toEqual(['EXPIRED']);
  });

  it.each([
    ['cancel', 'CANCELLED'],
    ['failAtBank', 'AUTHORIZATION_FAILED'],
    ['fail', 'FAILED'],
  ] as const)('ends by the consumer: %s', async (act, status) => {
    const id = await create();
    sandbox.consumer[act](id);
    expect(statusOf(id)).toBe(status);
    await sandbox.clock.advance(200 * HOUR_MS);
    expect(statusOf(id)).toBe(status);
    expect(movements(id)).toEqual([]);
    expect(() => sandbox.consumer.pay(id)).toThrow(`is ${status}`);
  });

  it('is cancelled by the merchant, once', async () => {
    const id = await create();
    const { status, text } = await remove(id);
    expect([status, text]).toEqual([204, '']);
    const again = await remove(id);
    expect([again.status, again.json.code]).toEqual([422, 'PAYMENT_NOT_PENDING']);
    expect(again.json.message).toBe(`Payment '${id}' is not allowed to be cancelled`);
  });

  it('cannot be tipped beyond the limit', async () => {
    const id = await create({ amount: 999_999 });
    sandbox.consumer.scan(id);
    expect(() => sandbox.consumer.confirm(id, { tip: 1 })).toThrow('tip');
    expect(statusOf(id)).toBe('IDENTIFIED');
  });

  it('is unknown under another id', async () => {
    const id = '5ba35a3d0989e3000758b9c2';
    for (const reply of [await get(id), await remove(id), await acknowledge(id)]) {
      expect(reply.status).toBe(404);
      expect(reply.json).toMatchObject({
        code: 'PAYMENT_NOT_FOUND',
        message: `Payment not found '${id}'`,
      });
    }
  });

  it('is awaited by reference, whether it comes or is there', async () => {
    const coming = sandbox.waitForPayment('r-1');
    const id = await create({ reference: 'r-1' });
    expect((await coming).paymentId).toBe(id);
    const paid = sandbox.waitForPayment('r-1', { status: 'SUCCEEDED' });
    sandbox.consumer.pay(id);
    expect((await paid).paymentId).toBe(id);
    expect((await sandbox.waitForPayment('r-1')).status).toBe('SUCCEEDED');
    const never = expect(sandbox.waitForPayment('r-2')).rejects.toThrow('closed');
    await sandbox.close();
    await never;
  });
});

describe('void support', () => {
  beforeEach(() => start({ voidSupport: true }));

  const confirmed = async (tip = 0): Promise<string> => {
    const id = await create();
    sandbox.consumer.pay(id, { tip });
    expect(statusOf(id)).toBe('PENDING_MERCHANT_ACKNOWLEDGEMENT');
    return id;
  };

  it('debits at confirmation and pays out at acknowledgement, however often it is called', async () => {
    const id = await confirmed();
    expect(movements(id)).toEqual(['debited 122']);
    const { status, text } = await acknowledge(id);
    expect([status, text]).toEqual([204, '']);
    expect((await acknowledge(id)).status).toBe(204);
    expect(movements(id)).toEqual(['debited 122', 'paid_out 122']);
    expect((await get(id)).json).toMatchObject({
      status: 'SUCCEEDED',
      succeededAt: expect.any(String),
    });
  });

  it('takes the amount with or without the tip, and no other', async () => {
    const id = await confirmed(10);
    const refused = await acknowledge(id, 121);
    expect([refused.status, refused.json.code]).toEqual([400, 'FIELD_IS_INVALID']);
    expect((await acknowledge(id, 122)).status).toBe(204);
    expect((await acknowledge(id, 132)).status).toBe(204);
    expect(movements(id)).toEqual(['debited 132', 'paid_out 132']);
  });

  it('gives the money back when voided, and nothing can be acknowledged then', async () => {
    const id = await confirmed();
    expect((await remove(id)).status).toBe(204);
    expect(statusOf(id)).toBe('VOIDED');
    expect(movements(id)).toEqual(['debited 122', 'credited_back 122']);
    const late = await acknowledge(id);
    expect([late.status, late.json.code]).toEqual([422, 'PAYMENT_VOIDED']);
    expect((await remove(id)).json.code).toBe('PAYMENT_NOT_PENDING');
  });

  it('voids by itself 168 hours after creation, not after confirmation', async () => {
    const id = await create();
    await sandbox.clock.advance(100_000);
    sandbox.consumer.pay(id);
    const { createdAt } = sandbox.payment(id) ?? { createdAt: 0 };
    await sandbox.clock.advance(createdAt + 168 * HOUR_MS - 1_000 - sandbox.clock.now());
    expect(statusOf(id)).toBe('PENDING_MERCHANT_ACKNOWLEDGEMENT');
    await sandbox.clock.advance(1_000);
    expect(statusOf(id)).toBe('VOIDED');
    expect(sandbox.payment(id)?.history.at(-1)?.at).toBe(createdAt + 168 * HOUR_MS);
  });

  it('refuses to acknowledge what nobody confirmed', async () => {
    const id = await create();
    expect((await acknowledge(id)).json.code).toBe('PAYMENT_CONFLICT');
    expect((await post(`/v3/payments/${id}/acknowledge`, {})).json.code).toBe('FIELD_IS_REQUIRED');
    expect(movements(id)).toEqual([]);
  });

  it('tells the merchant of each step', async () => {
    const id = await confirmed();
    await sandbox.callbacks.idle();
    await acknowledge(id);
    await sandbox.callbacks.idle();
    expect(statuses()).toEqual(['PENDING_MERCHANT_ACKNOWLEDGEMENT', 'SUCCEEDED']);
  });
});
