import { beforeEach, describe, expect, it } from 'vitest';
import { startPayconiqSandbox } from '../../src/sandbox/payconiq/sandbox.js';
import {
  HOUR_MS,
  call,
  callbackUrl,
  create,
  get,
  movements,
  post,
  received,
  remove,
  sandbox,
  start,
  statusOf,
  statuses,
  verify,
} from './payconiq-harness.js';

const template = (query: string): string => `https://payconiq.com/t/1/${sandbox.profileId}${query}`;
const INVOICE = '?D=Invoice%20Payment&A=250&R=4198798465';

describe('a printed code', () => {
  beforeEach(() => start({ profileCallbackUrl: callbackUrl }));

  it('begins a payment that nobody created', async () => {
    const { paymentId } = sandbox.consumer.scanCode(template(INVOICE));
    expect((await get(paymentId)).json).toMatchObject({
      status: 'IDENTIFIED',
      amount: 250,
      description: 'Invoice Payment',
      reference: '4198798465',
      creditor: { profileId: sandbox.profileId, callbackUrl },
    });
    expect(sandbox.requests().map(({ operation }) => operation)).toEqual(['get']);
    sandbox.consumer.confirm(paymentId, { tip: 50, message: 'Thanks' });
    await sandbox.callbacks.idle();
    expect(movements(paymentId)).toEqual(['debited 300', 'paid_out 300']);
    expect(statuses()).toEqual(['SUCCEEDED']);
    const { valid, result } = await verifyFirst();
    expect([valid, result]).toEqual(['valid', callbackUrl]);
  });

  const verifyFirst = async () => {
    const verdict = await verify(received[0] ?? { headers: {}, body: '' });
    const path = 'header' in verdict ? verdict.header['https://payconiq.com/path'] : undefined;
    return { valid: verdict.kind, result: path };
  };

  it('reports to whatever URL the profile has at its scan', async () => {
    sandbox.reportTo(undefined);
    const { paymentId } = sandbox.consumer.scanCode(template('?A=1&R=quiet'));
    sandbox.consumer.confirm(paymentId);
    await sandbox.callbacks.idle();
    expect(received).toEqual([]);
  });

  it('is refused for another profile, and where it is no code', () => {
    const { scanCode } = sandbox.consumer;
    expect(() => scanCode('https://payconiq.com/t/1/5c18cbd1296e9a26d3278518?A=1')).toThrow(
      'no profile',
    );
    for (const content of [
      'https://example.com/t/1/5c18cbd1296e9a26d3278518?A=1',
      template('?A=0'),
      template('?A=1000000'),
      template(`?A=1&R=${'x'.repeat(36)}`),
      template(`?A=1&D=${'x'.repeat(36)}`),
      template('?D=%'),
    ]) {
      expect(() => scanCode(content)).toThrow('is no code of the provider');
    }
    expect(sandbox.payments()).toEqual([]);
  });

  it('counts as already paid once its amount, reference and description were', () => {
    const { scanCode, confirm, cancel } = sandbox.consumer;
    cancel(scanCode(template(INVOICE)).paymentId);
    confirm(scanCode(template(INVOICE)).paymentId);
    expect(() => scanCode(template('?R=4198798465&A=250&D=Invoice%20Payment'))).toThrow(
      'already paid',
    );
    expect(scanCode(template(INVOICE.replace('250', '251'))).status).toBe('IDENTIFIED');
  });

  it('takes the consumer’s amount only where it names none', () => {
    const { scanCode } = sandbox.consumer;
    expect(() => scanCode(template('?R=open'))).toThrow('choose one');
    expect(() => scanCode(template('?R=open'), { amount: 1_000_000 })).toThrow('not possible');
    expect(scanCode(template('?R=open'), { amount: 777 }).amount).toBe(777);
    expect(() => scanCode(template('?A=250&R=fixed'), { amount: 251 })).toThrow(
      'cannot be changed',
    );
  });

  it('expires when the consumer leaves it', async () => {
    const { paymentId } = sandbox.consumer.scanCode(template(INVOICE));
    await sandbox.clock.advance(HOUR_MS);
    expect(statusOf(paymentId)).toBe('EXPIRED');
  });
});

describe('a printed top-up code', () => {
  it('is paid many times, with an amount of the consumer', async () => {
    await start({ printedProduct: 'top_up' });
    const { scanCode, confirm, cancel } = sandbox.consumer;
    const card = template('?D=Wristband&A=1000&R=w-1');
    cancel(scanCode(card).paymentId);
    const paid = [scanCode(card), scanCode(card, { amount: 50 })].map(
      ({ paymentId }) => confirm(paymentId).amount,
    );
    expect(paid).toEqual([1000, 50]);
  });

  it('cannot be payable once', async () => {
    await start();
    const options = { printedProduct: 'top_up', printedPayableOnce: true } as const;
    await expect(startPayconiqSandbox(options)).rejects.toThrow(RangeError);
  });
});

describe('a printed receipt', () => {
  it('may be paid again where the merchant allows it, and waits for acknowledgement in store', async () => {
    await start({ printedProduct: 'receipt', printedPayableOnce: false, voidSupport: true });
    const { scanCode, confirm } = sandbox.consumer;
    for (const attempt of [1, 2]) {
      const { paymentId } = scanCode(template('?A=122'));
      confirm(paymentId);
      expect([attempt, statusOf(paymentId)]).toEqual([attempt, 'PENDING_MERCHANT_ACKNOWLEDGEMENT']);
    }
  });
});

describe('codes of what exists', () => {
  beforeEach(() => start());

  it('a sticker leads to the open payment of its point of sale', async () => {
    const sticker = `https://payconiq.com/l/1/${sandbox.profileId}/POS%201`;
    expect(() => sandbox.consumer.scanCode(sticker)).toThrow('no open payment at POS 1');
    const { json } = await post('/v3/payments/pos', { amount: 1, posId: 'POS 1' });
    expect(sandbox.consumer.scanCode(sticker).paymentId).toBe(json.paymentId);
  });

  it('a payment’s own link leads to it', async () => {
    const id = await create();
    expect(sandbox.consumer.scanCode(`https://payconiq.com/pay/2/${id}`).paymentId).toBe(id);
  });

  it('can be scanned from another process', async () => {
    await post('/sandbox/profile', { callbackUrl });
    const content = template('?A=250&R=r-1');
    const { status, json } = await post('/sandbox/codes/scan', { content });
    expect([status, json.status]).toEqual([200, 'IDENTIFIED']);
    await post(`/sandbox/payments/${json.paymentId}/confirm`);
    await sandbox.callbacks.idle();
    expect(statuses()).toEqual(['SUCCEEDED']);
    expect((await post('/sandbox/codes/scan', { content })).status).toBe(409);
    expect((await post('/sandbox/codes/scan', {})).status).toBe(400);
    expect((await post('/sandbox/codes/scan', { content, amount: 'much' })).status).toBe(400);
    expect((await post('/sandbox/profile', { callbackUrl: null })).json).toEqual({
      callbackUrl: null,
    });
  });
});

describe("the consumer's IBAN", () => {
  const iban = (id: string) => call(`/v3/payments/${id}/debtor/refundIban`);
  beforeEach(() => start({ voidSupport: true }));

  it('is told of a payment that succeeded, and moves nothing', async () => {
    const id = await create();
    expect((await iban(id)).json.code).toBe('REFUND_NOT_AVAILABLE');
    sandbox.consumer.pay(id);
    expect((await iban(id)).status).toBe(422);
    await post(`/v3/payments/${id}/acknowledge`, { amount: 122 });
    const before = movements(id);
    const { status, json } = await iban(id);
    expect([status, json]).toEqual([200, { iban: 'NL90FRBK0000012636' }]);
    expect(movements(id)).toEqual(before);
    expect((await iban('5ba35a3d0989e3000758b9c2')).json.code).toBe('PAYMENT_NOT_FOUND');
  });

  it('comes a day later from the bank’s app', async () => {
    const { json } = await post('/v3/payments/pos', { amount: 1, posId: 'P1' });
    sandbox.consumer.pay(json.paymentId, { app: 'bancontact' });
    await post(`/v3/payments/${json.paymentId}/acknowledge`, { amount: 1 });
    expect((await iban(json.paymentId)).json).toMatchObject({
      code: 'REFUND_NOT_AVAILABLE',
      message: `Refund not available for payment '${json.paymentId}'`,
    });
    await sandbox.clock.advance(24 * HOUR_MS);
    expect((await iban(json.paymentId)).status).toBe(200);
  });

  it('can be refused, as between consumers', async () => {
    const id = await create();
    sandbox.faults.next('refund_iban', { kind: 'answer', code: 'REFUND_NOT_ALLOWED' });
    const { status, json } = await iban(id);
    expect([status, json.code]).toEqual([422, 'REFUND_NOT_ALLOWED']);
    expect((await remove(id)).status).toBe(204);
  });
});
