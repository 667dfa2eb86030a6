import { randomToken, sha256Hex } from '../../transport/digest.js';
import { addDays, dayOf, hourOf, isDay, workingDayAfter } from './calendar.js';
import type { Scheduler } from './clock.js';
import type { LedgerWriter } from './ledger.js';
import type { PaymentBook } from './payment-book.js';
import type { SandboxPayment } from './payment.js';
import type { RefundBook } from './refund-book.js';
import type { SandboxRefund } from './refund.js';
import type { MerchantProfile } from './render.js';

/** One line on the merchant's account, or one for each payment. @see payconiq.txt L264-291 */
export const PAYOUT_MODES = ['bulk', 'individual'] as const;
export type PayoutMode = (typeof PAYOUT_MODES)[number];

/** What is paid out without a bulk identifier of its own. @see payconiq.txt L10683 */
export const NO_BULK = 'NONE';
/** In Brussels, when payouts are made. */
const PAID_AT_HOUR = 7;

/** Money on its way to the merchant's bank. Amounts in euro cents. */
export interface SandboxPayout {
  readonly payoutId: string;
  readonly bulkId: string;
  readonly iban: string;
  /** The day in Brussels whose payments it pays, `YYYY-MM-DD`. */
  readonly businessDay: string;
  /** The working day after: the payout's own date. */
  readonly day: string;
  /** Milliseconds since the epoch: that day at 7:00 in Brussels. */
  readonly paidAt: number;
  readonly paymentIds: readonly string[];
  /** Withheld from the payments; of this business day, or carried over from an earlier one. */
  readonly refundIds: readonly string[];
  readonly totalPaymentAmount: number;
  readonly totalRefundAmount: number;
  /** Payments less refunds. */
  readonly payoutAmount: number;
}

export interface PayoutBook {
  /** Oldest first. */
  list(): readonly SandboxPayout[];
  find(payoutId: string): SandboxPayout | undefined;
  /**
   * Pays out what succeeded on a business day and is in no payout yet. Refunds, oldest first, are
   * withheld from the payout of their own bulk, and once carried over from any that is large enough;
   * those for which none is stay for the next run. Again for the same day pays what came since.
   *
   * @throws RangeError when it is no day
   */
  run(options: { readonly day: string }): readonly SandboxPayout[];
  payoutOfPayment(paymentId: string): SandboxPayout | undefined;
  payoutOfRefund(refundId: string): SandboxPayout | undefined;
}

export interface PayoutBookOptions {
  readonly clock: Scheduler;
  readonly ledger: LedgerWriter;
  readonly payments: Pick<PaymentBook, 'list' | 'find'>;
  readonly refunds: Pick<RefundBook, 'list'>;
  readonly profile: MerchantProfile;
  readonly mode: PayoutMode;
  /** Whether each day is paid out by itself, at midnight in Brussels. */
  readonly isByClock: boolean;
}

/** What one payout will be. */
interface Batch {
  readonly bulkId: string;
  readonly payments: SandboxPayment[];
  readonly refunds: SandboxRefund[];
  /** From which refunds can still be withheld. */
  left: number;
}

export function createPayoutBook(options: PayoutBookOptions): PayoutBook {
  const { clock, ledger, payments, refunds, profile, mode } = options;
  const payouts = new Map<string, SandboxPayout>();
  const ofPayment = new Map<string, SandboxPayout>();
  const ofRefund = new Map<string, SandboxPayout>();

  const unpaidOf = (day: string): readonly SandboxPayment[] =>
    payments
      .list()
      .filter(({ owner, paymentId }) => owner === profile.merchantId && !ofPayment.has(paymentId))
      .filter((payment) => businessDayOfPayment(payment) === day);

  const waitingUntil = (day: string): readonly SandboxRefund[] =>
    refunds
      .list()
      .filter(({ refundId, status }) => status === 'REFUNDED' && !ofRefund.has(refundId))
      .filter(({ paymentId }) => payments.find(paymentId)?.owner === profile.merchantId)
      .filter((refund) => (businessDayOfRefund(refund) ?? '') <= day);

  const withhold = (refund: SandboxRefund, batches: readonly Batch[], day: string): void => {
    const payment = payments.find(refund.paymentId);
    const own = mode === 'bulk' ? bulkOf(payment) : NO_BULK;
    const isCarriedOver = businessDayOfRefund(refund) !== day;
    const isFit = (batch: Batch): boolean => batch.left >= refund.amount;
    const found =
      batches.find((batch) => batch.bulkId === own && isFit(batch)) ??
      (isCarriedOver ? batches.find(isFit) : undefined);
    if (found === undefined) return;
    found.refunds.push(refund);
    found.left -= refund.amount;
  };

  const pay = (batch: Batch, businessDay: string): SandboxPayout => {
    const payout = payoutOf(batch, { businessDay, iban: profile.iban });
    const { payoutId, paymentIds, refundIds, paidAt: at, payoutAmount: amountMinor } = payout;
    payouts.set(payoutId, payout);
    paymentIds.forEach((paymentId) => ofPayment.set(paymentId, payout));
    refundIds.forEach((refundId) => ofRefund.set(refundId, payout));
    const nobody = { paymentId: undefined, reference: undefined };
    if (amountMinor > 0) ledger.append({ at, kind: 'payout', ...nobody, payoutId, amountMinor });
    return payout;
  };

  const close = (day: string): readonly SandboxPayout[] => {
    const batches = batchesOf(unpaidOf(day), mode);
    waitingUntil(day).forEach((refund) => withhold(refund, batches, day));
    return batches.map((batch) => pay(batch, day));
  };

  const closeAtMidnight = (day: string): void => {
    clock.at(hourOf(addDays(day, 1), 0), () => {
      close(day);
      closeAtMidnight(addDays(day, 1));
    });
  };
  if (options.isByClock) closeAtMidnight(dayOf(clock.now()));

  return {
    list: () => [...payouts.values()],
    find: (payoutId) => payouts.get(payoutId),
    run: ({ day }) => {
      if (!isDay(day)) throw new RangeError(`${day} is no day`);
      clock.settle();
      return close(day);
    },
    payoutOfPayment: (paymentId) => ofPayment.get(paymentId),
    payoutOfRefund: (refundId) => ofRefund.get(refundId),
  };
}

/**
 * The day in Brussels on which it succeeded; of the minute after midnight, which belongs to no day
 * of the document, the one that begins. @see payconiq.txt L285
 */
export function businessDayOfPayment({ succeededAt }: SandboxPayment): string | undefined {
  return succeededAt === undefined ? undefined : dayOf(succeededAt);
}

/** The day in Brussels on which the merchant was debited. */
export function businessDayOfRefund({ refundedAt }: SandboxRefund): string | undefined {
  return refundedAt === undefined ? undefined : dayOf(refundedAt);
}

function bulkOf(payment: SandboxPayment | undefined): string {
  return payment?.request.bulkId ?? NO_BULK;
}

function batchesOf(payments: readonly SandboxPayment[], mode: PayoutMode): readonly Batch[] {
  const batches = new Map<string, Batch>();
  for (const payment of payments) {
    const bulkId = mode === 'bulk' ? bulkOf(payment) : NO_BULK;
    const name = mode === 'bulk' ? bulkId : payment.paymentId;
    const batch = batches.get(name) ?? { bulkId, payments: [], refunds: [], left: 0 };
    batch.payments.push(payment);
    batch.left += payment.totalAmount;
    batches.set(name, batch);
  }
  return [...batches.values()];
}

function payoutOf(
  { bulkId, payments, refunds, left }: Batch,
  { businessDay, iban }: Pick<SandboxPayout, 'businessDay' | 'iban'>,
): SandboxPayout {
  const day = workingDayAfter(businessDay);
  const totalRefundAmount = refunds.reduce((sum, { amount }) => sum + amount, 0);
  return {
    payoutId: sha256Hex(randomToken(16)).slice(0, 24),
    bulkId,
    iban,
    businessDay,
    day,
    paidAt: hourOf(day, PAID_AT_HOUR),
    paymentIds: payments.map(({ paymentId }) => paymentId),
    refundIds: refunds.map(({ refundId }) => refundId),
    totalPaymentAmount: left + totalRefundAmount,
    totalRefundAmount,
    payoutAmount: left,
  };
}
