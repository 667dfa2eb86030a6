/** Payments of one business day as the provider reports them, made up where they are asked for. */
import type { Publication, PublishedRows } from '../../src/sandbox/payconiq/payouts.js';
import type { PaymentRow, PayoutRow } from '../../src/sandbox/payconiq/reconciliation-rows.js';

export const BUSINESS_DAY = '2026-03-04';
/** A day on which no clock is changed: 10:00 in Brussels. */
const OCCURRED_AT = '2026-03-04T09:00:00.000Z';
const PAID_AT = '2026-03-05T06:00:00.000Z';
export const PAYMENTS_A_PAYOUT = 1_000;

/** The provider's id of the n-th payment, from 0. */
export const objectOf = (n: number): string => n.toString(16).padStart(24, '0');
const payoutOf = (n: number): string =>
  `f${Math.floor(n / PAYMENTS_A_PAYOUT)
    .toString(16)
    .padStart(23, '0')}`;

/** Euro cents; the seed makes the same in SQL. */
const centsOf = (n: number): number => 100 + (n % 900);

export function publication(count: number): Publication {
  return { businessDay: BUSINESS_DAY, payments: payments(count), payouts: payouts(count) };
}

function payments(count: number): PublishedRows<PaymentRow> {
  return {
    length: count,
    at: paymentRow,
    ofPayout(payoutId) {
      const first = Number.parseInt(payoutId.slice(1), 16) * PAYMENTS_A_PAYOUT;
      const length = Math.max(Math.min(PAYMENTS_A_PAYOUT, count - first), 0);
      return { length, at: (n) => paymentRow(first + n) };
    },
  };
}

function paymentRow(n: number): PaymentRow {
  return {
    paymentId: objectOf(n),
    payoutId: payoutOf(n),
    paymentProfileId: '5b71369f5832fd22658e0ef4',
    merchantName: 'A shop',
    submerchantName: '',
    submerchantId: '',
    paymentChannel: 'ONLINE',
    currency: 'EUR',
    amount: centsOf(n),
    reference: `order-${n}`,
    description: 'Something bought at a shop',
    transactionDate: OCCURRED_AT,
  };
}

function payouts(count: number): { readonly length: number; at(n: number): PayoutRow } {
  return {
    length: Math.ceil(count / PAYMENTS_A_PAYOUT),
    at(n) {
      const first = n * PAYMENTS_A_PAYOUT;
      const length = Math.min(PAYMENTS_A_PAYOUT, count - first);
      const total = Array.from({ length }, (_, i) => centsOf(first + i)).reduce((a, b) => a + b, 0);
      return {
        payoutId: payoutOf(first),
        merchantId: '5b71369f5832fd09188e0915',
        bulkId: 'NONE',
        iban: 'NL47FRBK0293409698',
        payoutStatus: 'SUCCEEDED',
        payoutDate: PAID_AT,
        payoutCurrency: 'EUR',
        totalPayments: length,
        totalRefunds: 0,
        totalPaymentAmount: total,
        totalRefundAmount: 0,
        payoutAmount: total,
      };
    },
  };
}
