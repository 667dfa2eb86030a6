import type { PaymentBook } from './payment-book.js';
import type { SandboxPayment } from './payment.js';
import { businessDayOfPayment, businessDayOfRefund } from './payout-book.js';
import type { PayoutBook, SandboxPayout } from './payout-book.js';
import type { RefundBook } from './refund-book.js';
import type { SandboxRefund } from './refund.js';
import { iso } from './render.js';
import type { MerchantProfile } from './render.js';

/** As answered. Amounts in euro cents, times in UTC. @see payconiq.txt L10617-10652 */
export interface PayoutRow {
  readonly payoutId: string;
  readonly merchantId: string;
  readonly bulkId: string;
  readonly iban: string;
  readonly payoutStatus: 'SUCCEEDED' | 'FAILED';
  readonly payoutDate: string;
  readonly payoutCurrency: string;
  readonly totalPayments: number;
  readonly totalRefunds: number;
  readonly totalPaymentAmount: number;
  readonly totalRefundAmount: number;
  readonly payoutAmount: number;
}

/** @see payconiq.txt L10840-10854 */
export interface PaymentRow {
  readonly paymentId: string;
  /** Once it is in a payout. */
  readonly payoutId?: string | undefined;
  readonly paymentProfileId: string;
  readonly merchantName: string;
  /** Empty where there is no submerchant. */
  readonly submerchantName: string;
  readonly submerchantId: string;
  readonly paymentChannel: string;
  readonly currency: string;
  /** Tip included. */
  readonly amount: number;
  readonly reference?: string | undefined;
  readonly description?: string | undefined;
  /** When the payment or refund was created. */
  readonly transactionDate: string;
}

/** @see payconiq.txt L11061-11075 */
export interface RefundRow extends PaymentRow {
  readonly refundId: string;
}

/** A row with the business day that it is listed under, `YYYY-MM-DD`. */
export interface Line<Row> {
  readonly businessDay: string;
  readonly row: Row;
}
export interface PayoutLine extends Line<PayoutRow> {
  /** The payout's own date in Brussels. */
  readonly day: string;
}

/** All that the reconciliation API has to tell. */
export interface Books {
  readonly payouts: readonly PayoutLine[];
  readonly payments: readonly Line<PaymentRow>[];
  readonly refunds: readonly Line<RefundRow>[];
}

export interface Sources {
  readonly payments: Pick<PaymentBook, 'list' | 'find'>;
  readonly refunds: Pick<RefundBook, 'list'>;
  readonly payouts: PayoutBook;
  readonly profile: MerchantProfile;
}

/**
 * What really happened, as the API tells it: SUCCEEDED payments, REFUNDED refunds, and refunds that
 * were withheld before the consumer's bank sent them back.
 */
export function booksOf(sources: Sources): Books {
  const { payments, refunds, payouts, profile } = sources;
  const isOwn = (payment: SandboxPayment | undefined): payment is SandboxPayment =>
    payment?.owner === profile.merchantId;
  return {
    payouts: payouts.list().map((payout) => payoutLine(payout, profile)),
    payments: payments
      .list()
      .filter(isOwn)
      .flatMap((payment) => paymentLine(payment, sources)),
    refunds: refunds.list().flatMap((refund) => {
      const payment = payments.find(refund.paymentId);
      return isOwn(payment) ? refundLine({ refund, payment }, sources) : [];
    }),
  };
}

function payoutLine(payout: SandboxPayout, { merchantId }: MerchantProfile): PayoutLine {
  const { payoutId, bulkId, iban, businessDay, day, paidAt } = payout;
  const { totalPaymentAmount, totalRefundAmount, payoutAmount } = payout;
  const row = {
    payoutId,
    merchantId,
    bulkId,
    iban,
    payoutStatus: 'SUCCEEDED',
    payoutDate: iso(paidAt),
    payoutCurrency: 'EUR',
    totalPayments: payout.paymentIds.length,
    totalRefunds: payout.refundIds.length,
    totalPaymentAmount,
    totalRefundAmount,
    payoutAmount,
  } as const;
  return { businessDay, day, row };
}

function paymentLine(
  payment: SandboxPayment,
  { payouts, profile }: Sources,
): readonly Line<PaymentRow>[] {
  const businessDay = businessDayOfPayment(payment);
  if (businessDay === undefined) return [];
  const payoutId = payouts.payoutOfPayment(payment.paymentId)?.payoutId;
  return [{ businessDay, row: { ...merchantRow(payment, profile), payoutId } }];
}

function refundLine(
  { refund, payment }: { readonly refund: SandboxRefund; readonly payment: SandboxPayment },
  { payouts, profile }: Sources,
): readonly Line<RefundRow>[] {
  const { refundId, amount, description, createdAt, status } = refund;
  const payoutId = payouts.payoutOfRefund(refundId)?.payoutId;
  const businessDay = businessDayOfRefund(refund);
  if (businessDay === undefined || (status !== 'REFUNDED' && payoutId === undefined)) return [];
  const of = merchantRow(payment, profile);
  const transactionDate = iso(createdAt);
  return [
    { businessDay, row: { ...of, payoutId, amount, description, transactionDate, refundId } },
  ];
}

function merchantRow(
  { paymentId, request, product, totalAmount, reference, createdAt }: SandboxPayment,
  { profileId, name }: MerchantProfile,
): PaymentRow {
  return {
    paymentId,
    payoutId: undefined,
    paymentProfileId: profileId,
    merchantName: name,
    submerchantName: request.subMerchant?.['name'] ?? '',
    submerchantId: request.subMerchant?.['subMerchantId'] ?? '',
    paymentChannel: product === 'instore' ? 'INSTORE' : 'ONLINE',
    currency: 'EUR',
    amount: totalAmount,
    reference,
    description: request.description,
    transactionDate: iso(createdAt),
  };
}
