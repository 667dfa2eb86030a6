import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { money } from '../../../src/domain/money.js';
import type { Outcome } from '../../../src/domain/outcome.js';
import type { PaymentRequest } from '../../../src/domain/payment.js';
import type { Intent } from '../../../src/providers/provider.js';
import { PAYMENT_STATUSES, type PaymentStatus } from '../../../src/sandbox/payconiq/payment.js';
import { bodies, factsOf, findBy, paymentIn } from './drive.js';
import { intentOf, startMerchant, type Merchant } from './merchant.js';

let merchant: Merchant;
beforeEach(async () => void (merchant = await startMerchant()));
afterEach(() => merchant.close());

const command = (
  operation: 'capture' | 'void' | 'cancel',
  request: PaymentRequest,
  changes: Partial<Intent>,
): Promise<Outcome> =>
  merchant.payments.operations[operation]!.send(intentOf(operation, request, changes));

type Expected = readonly [Outcome['kind'], ...string[]];

describe('PCQ-07: acknowledging a payment', () => {
  const EXPECTED: Record<PaymentStatus, Expected> = {
    PENDING: ['unknown'],
    IDENTIFIED: ['unknown'],
    AUTHORIZED: ['unknown'],
    PENDING_MERCHANT_ACKNOWLEDGEMENT: ['succeeded', 'captured 1250'],
    SUCCEEDED: ['succeeded', 'captured 1250'],
    VOIDED: ['declined', 'authorized 1250', 'voided 1250'],
    CANCELLED: ['declined', 'canceled'],
    EXPIRED: ['declined', 'expired'],
    AUTHORIZATION_FAILED: ['declined', 'declined'],
    FAILED: ['declined', 'declined'],
  };

  test.each(PAYMENT_STATUSES)('that is %s', async (status) => {
    const { request, providerReference } = await paymentIn(merchant, status);
    const outcome = await command('capture', request, { providerReference });
    expect([outcome.kind, ...factsOf(outcome)]).toEqual(EXPECTED[status]);
  });

  it('says why it was refused', async () => {
    const { request, providerReference } = await paymentIn(merchant, 'VOIDED');
    expect(await command('capture', request, { providerReference })).toMatchObject({
      problem: { code: 'already_voided', providerCode: 'PAYMENT_VOIDED' },
    });
  });

  it('may be done many times and pays out once', async () => {
    const { request, providerReference } = await paymentIn(
      merchant,
      'PENDING_MERCHANT_ACKNOWLEDGEMENT',
    );
    const outcomes = [];
    for (let count = 0; count < 3; count += 1) {
      outcomes.push(await command('capture', request, { providerReference }));
    }
    const ids = outcomes.map((outcome) => 'facts' in outcome && outcome.facts.map(({ id }) => id));
    expect(new Set(ids.map(String)).size).toBe(1);
    expect(merchant.sandbox.ledger.ofPayment(providerReference).map(({ kind }) => kind)).toEqual([
      'debited',
      'paid_out',
    ]);
  });

  it('names the amount without the tip, and books what was paid with it', async () => {
    const { request, opened } = await merchant.create();
    const { providerReference } = opened;
    merchant.sandbox.consumer.pay(providerReference, { tip: 150 });
    const total = { amount: money(1400, 'EUR'), tip: money(150, 'EUR') };
    const outcome = await command('capture', request, { providerReference, ...total });
    expect(bodies(merchant, 'acknowledge')).toEqual([
      { amount: 1250, currency: 'EUR', reference: request.merchantReference },
    ]);
    expect(outcome).toMatchObject({ facts: [{ kind: 'captured', ...total }] });
    expect(merchant.sandbox.ledger.ofPayment(providerReference)).toMatchObject([
      { kind: 'debited', amountMinor: 1400 },
      { kind: 'paid_out', amountMinor: 1400 },
    ]);
    const reading = await merchant.payments.read({ request, providerReference });
    const known = reading.kind === 'found' ? reading.facts.map(({ id }) => id) : [];
    expect(known).toContain('facts' in outcome && outcome.facts[0]!.id);
  });

  it('at a wrong path (the guide’s slip) is unknown, never "no such payment"', async () => {
    const { request, providerReference } = await paymentIn(
      merchant,
      'PENDING_MERCHANT_ACKNOWLEDGEMENT',
    );
    const acknowledgePath = '/v3/payments/payments/{paymentId}/acknowledge';
    const { payments } = merchant.connect({ settings: { acknowledgePath } });
    const intent = intentOf('capture', request, { providerReference });
    expect(await payments.operations.capture!.send(intent)).toMatchObject({
      kind: 'unknown',
      problem: {
        code: 'unexpected_answer',
        message: 'Payconiq answered 404 without an error code',
      },
    });
  });
});

describe('PCQ-08, PCQ-09: DELETE of a payment', () => {
  const EXPECTED: Record<PaymentStatus, Expected> = {
    PENDING: ['succeeded', 'canceled'],
    IDENTIFIED: ['succeeded', 'canceled'],
    AUTHORIZED: ['declined', 'processing'],
    PENDING_MERCHANT_ACKNOWLEDGEMENT: ['succeeded', 'authorized 1250', 'voided 1250'],
    SUCCEEDED: ['declined', 'authorized 1250', 'captured 1250'],
    VOIDED: ['succeeded', 'authorized 1250', 'voided 1250'],
    CANCELLED: ['succeeded', 'canceled'],
    EXPIRED: ['declined', 'expired'],
    AUTHORIZATION_FAILED: ['declined', 'declined'],
    FAILED: ['declined', 'declined'],
  };

  describe.each(['void', 'cancel'] as const)('as %s', (operation) => {
    test.each(PAYMENT_STATUSES)('that is %s', async (status) => {
      const { request, providerReference } = await paymentIn(merchant, status);
      const outcome = await command(operation, request, { providerReference });
      expect([outcome.kind, ...factsOf(outcome)]).toEqual(EXPECTED[status]);
    });

    it('asks what it did: the state at its arrival decided', async () => {
      const { request, providerReference } = await paymentIn(merchant, 'PENDING');
      await command(operation, request, { providerReference });
      const sent = merchant.sandbox.requests().map(({ method }) => method);
      expect(sent).toEqual(['POST', 'DELETE', 'GET']);
    });

    it('is unknown while nobody says what it did', async () => {
      const { request, providerReference } = await paymentIn(merchant, 'PENDING');
      merchant.sandbox.faults.next('get', { kind: 'error_before_effect' });
      const outcome = await command(operation, request, { providerReference });
      expect(outcome.kind).toBe('unknown');
      expect(merchant.sandbox.payment(providerReference)?.status).toBe('CANCELLED');
    });
  });

  describe('whose answer was lost is found out', () => {
    const EVIDENCE: Record<PaymentStatus, Expected | readonly ['absent' | 'unclear']> = {
      ...EXPECTED,
      PENDING: ['absent'],
      IDENTIFIED: ['absent'],
      // Neither to be cancelled nor ended: only time tells.
      AUTHORIZED: ['unclear'],
      // Overtaken by its payer: whoever cancels has to void it now.
      PENDING_MERCHANT_ACKNOWLEDGEMENT: ['declined', 'authorized 1250'],
    };

    test.each(PAYMENT_STATUSES)('when it is %s', async (status) => {
      const { request, providerReference } = await paymentIn(merchant, status);
      const { cancel } = merchant.payments.operations;
      const evidence = await findBy(cancel!, intentOf('cancel', request, { providerReference }));
      const seen =
        evidence.kind === 'settled'
          ? [evidence.outcome.kind, ...factsOf(evidence.outcome)]
          : [evidence.kind];
      expect(seen).toEqual(EVIDENCE[status]);
    });

    it.each(['reset_before_effect', 'garbage'] as const)('or stays unclear (%s)', async (kind) => {
      const { request, providerReference } = await paymentIn(merchant, 'CANCELLED');
      merchant.sandbox.faults.next('get', { kind });
      const { cancel } = merchant.payments.operations;
      const evidence = await findBy(cancel!, intentOf('cancel', request, { providerReference }));
      expect(evidence.kind).toBe('unclear');
    });
  });
});
