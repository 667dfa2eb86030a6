import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { money } from '../../../src/domain/money.js';
import type { PaymentRequest } from '../../../src/domain/payment.js';
import { bring, findBy, told } from './drive.js';
import { intentOf, requestOf, startMerchant, type Connected, type Merchant } from './merchant.js';

let merchant: Merchant;
beforeEach(async () => void (merchant = await startMerchant()));
afterEach(() => merchant.close());

const onSticker = (changes: Partial<PaymentRequest> = {}): PaymentRequest =>
  requestOf({ options: { provider: 'payconiq', flavour: 'sticker', posId: 'POS1' }, ...changes });
const statusOf = (id: string) => merchant.sandbox.payment(id)?.status;
const find = (request: PaymentRequest, from: Connected = merchant) =>
  findBy(from.payments.operations.create, intentOf('create', request));

/** Created at the provider and live on the sticker, the answer lost. */
async function lose(request: PaymentRequest, from: Connected = merchant): Promise<string> {
  merchant.sandbox.faults.next('create', { kind: 'reset_after_effect' });
  const outcome = await from.payments.operations.create.send(intentOf('create', request));
  expect(outcome.kind).toBe('unknown');
  return merchant.sandbox.payments({ reference: request.merchantReference }).at(-1)!.paymentId;
}

describe('PCQ-02: a lost creation on a sticker', () => {
  test.each(['PENDING', 'IDENTIFIED'] as const)(
    'that is %s is cancelled before there may be another',
    async (status) => {
      const request = onSticker();
      const id = await lose(request);
      await bring(merchant, id, status);
      expect(await find(request)).toEqual({ kind: 'absent' });
      expect(statusOf(id)).toBe('CANCELLED');
      expect(() => merchant.sandbox.consumer.scanSticker('POS1')).toThrow('no open payment');
    },
  );

  test.each([
    ['PENDING_MERCHANT_ACKNOWLEDGEMENT', ['created', 'authorized 1250']],
    ['SUCCEEDED', ['created', 'authorized 1250', 'captured 1250']],
    ['VOIDED', ['created', 'authorized 1250', 'voided 1250']],
  ] as const)('that is %s is settled with its money', async (status, facts) => {
    const request = onSticker();
    const id = await lose(request);
    await bring(merchant, id, status);
    const evidence = await find(request);
    expect(evidence).toMatchObject({
      kind: 'settled',
      outcome: { kind: 'succeeded', value: { providerReference: id } },
    });
    expect(evidence.kind === 'settled' && told(evidence.outcome.facts)).toEqual(facts);
    expect(statusOf(id)).toBe(status);
  });

  test.each(['CANCELLED', 'EXPIRED', 'FAILED', 'AUTHORIZATION_FAILED'] as const)(
    'that is %s is absent',
    async (status) => {
      const request = onSticker();
      await bring(merchant, await lose(request), status);
      expect(await find(request)).toEqual({ kind: 'absent' });
    },
  );

  test('that is at the payer’s bank stays unclear, and nothing is sent to it', async () => {
    const request = onSticker();
    const id = await lose(request);
    await bring(merchant, id, 'AUTHORIZED');
    expect(await find(request)).toMatchObject({ kind: 'unclear' });
    expect(merchant.sandbox.requests().some(({ method }) => method === 'DELETE')).toBe(false);
    merchant.sandbox.consumer.settleAtBank(id);
    expect((await find(request)).kind).toBe('settled');
  });

  test('that is paid while it is being cancelled is given back, and told so', async () => {
    const request = onSticker();
    const id = await lose(request);
    const slow = merchant.sandbox.faults.next('delete', { kind: 'slow', effect: 'after' });
    const finding = find(request);
    await slow.hit;
    merchant.sandbox.consumer.pay(id);
    slow.release();
    const evidence = await finding;
    expect(evidence.kind === 'settled' && told(evidence.outcome.facts)).toEqual([
      'created',
      'authorized 1250',
      'voided 1250',
    ]);
  });

  test('stays unclear while it cannot be cancelled', async () => {
    const request = onSticker();
    const id = await lose(request);
    merchant.sandbox.faults.next('delete', { kind: 'error_before_effect' });
    expect(await find(request)).toMatchObject({ kind: 'unclear' });
    expect(statusOf(id)).toBe('PENDING');
    expect(await find(request)).toEqual({ kind: 'absent' });
  });

  test('may be several: all are taken away, and what is paid is adopted', async () => {
    const request = onSticker();
    const ids = [await lose(request), await lose(request), await lose(request)];
    await bring(merchant, ids[1]!, 'PENDING_MERCHANT_ACKNOWLEDGEMENT');
    const evidence = await find(request);
    expect(evidence).toMatchObject({ outcome: { value: { providerReference: ids[1] } } });
    expect(ids.map(statusOf)).toEqual([
      'CANCELLED',
      'PENDING_MERCHANT_ACKNOWLEDGEMENT',
      'CANCELLED',
    ]);
  });

  test('of another payment with the same reference is left alone', async () => {
    const request = onSticker();
    const id = await lose(request);
    const other = onSticker({ merchantReference: request.merchantReference });
    expect(await find(other)).toEqual({ kind: 'absent' });
    expect(statusOf(id)).toBe('PENDING');
  });

  test('is told by reference and amount where no URL could prove it ours', async () => {
    const silent = merchant.connect({ notificationUrl: 'none' });
    const request = onSticker();
    const id = await lose(request, silent);
    expect(await find({ ...request, amount: money(1, 'EUR') }, silent)).toEqual({ kind: 'absent' });
    expect(statusOf(id)).toBe('PENDING');
    expect(await find(request, silent)).toEqual({ kind: 'absent' });
    expect(statusOf(id)).toBe('CANCELLED');
  });

  test('stays unclear where the provider cannot tell now', async () => {
    const request = onSticker();
    await lose(request);
    merchant.sandbox.faults.next('search', { kind: 'throttle' });
    expect((await find(request)).kind).toBe('unclear');
  });
});
