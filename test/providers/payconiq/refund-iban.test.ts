import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { paymentIn } from './drive.js';
import { intentOf, startMerchant, type Merchant } from './merchant.js';

let merchant: Merchant;
beforeEach(async () => void (merchant = await startMerchant()));
afterEach(() => merchant.close());

const ask = (id: string) => merchant.payments.refundIban!(id);

describe('PCQ-10: the payer’s IBAN', () => {
  it('is told once the payment succeeded', async () => {
    const { providerReference } = await paymentIn(merchant, 'SUCCEEDED');
    expect(await ask(providerReference)).toEqual({ kind: 'found', iban: 'NL90FRBK0000012636' });
  });

  test.each(['PENDING', 'PENDING_MERCHANT_ACKNOWLEDGEMENT', 'VOIDED'] as const)(
    'is not there yet while the payment is %s',
    async (status) => {
      const { providerReference } = await paymentIn(merchant, status);
      expect(await ask(providerReference)).toMatchObject({
        kind: 'not_yet',
        problem: { code: 'not_available_yet', providerCode: 'REFUND_NOT_AVAILABLE' },
      });
    },
  );

  it('comes a day after a payment by the bank’s app', async () => {
    const { request, opened } = await merchant.create();
    const id = opened.providerReference;
    merchant.sandbox.consumer.pay(id, { app: 'bancontact' });
    const intent = intentOf('capture', request, { providerReference: id });
    await merchant.payments.operations.capture!.send(intent);
    expect((await ask(id)).kind).toBe('not_yet');
    await merchant.sandbox.clock.advance(24 * 3_600_000);
    expect((await ask(id)).kind).toBe('found');
  });

  it('is refused between consumers, and absent for a payment that nobody knows', async () => {
    const { providerReference } = await paymentIn(merchant, 'SUCCEEDED');
    merchant.sandbox.faults.next('refund_iban', { kind: 'answer', code: 'REFUND_NOT_ALLOWED' });
    expect(await ask(providerReference)).toMatchObject({
      kind: 'refused',
      problem: { code: 'not_allowed', providerCode: 'REFUND_NOT_ALLOWED' },
    });
    expect(await ask('0'.repeat(24))).toMatchObject({
      kind: 'absent',
      problem: { code: 'not_found', providerCode: 'PAYMENT_NOT_FOUND' },
    });
  });

  test.each(['throttle', 'error_before_effect', 'garbage', 'reset_before_effect'] as const)(
    'is unclear after %s',
    async (kind) => {
      const { providerReference } = await paymentIn(merchant, 'SUCCEEDED');
      merchant.sandbox.faults.next('refund_iban', { kind });
      const answer = await ask(providerReference);
      expect(answer.kind).toBe('unclear');
      expect(JSON.stringify(answer)).not.toContain('NL90');
    },
  );

  test.each(['UNAUTHORIZED', 'ACCESS_DENIED'] as const)('is unclear after %s', async (code) => {
    const { providerReference } = await paymentIn(merchant, 'SUCCEEDED');
    merchant.sandbox.faults.next('refund_iban', { kind: 'answer', code });
    expect(await ask(providerReference)).toMatchObject({
      kind: 'unclear',
      problem: { code: 'unauthorized', providerCode: code },
    });
  });

  it('moves no money', async () => {
    const { providerReference } = await paymentIn(merchant, 'SUCCEEDED');
    const before = merchant.sandbox.ledger.entries();
    await ask(providerReference);
    expect(merchant.sandbox.ledger.entries()).toEqual(before);
  });
});
