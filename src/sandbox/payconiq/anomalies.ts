import { sha256Hex } from '../../transport/digest.js';
import type { Anomaly, PayoutSelector, RowSelector } from './anomaly.js';
import { hourOf, workingDayAfter } from './calendar.js';
import type {
  Books,
  Line,
  PaymentRow,
  PayoutLine,
  PayoutRow,
  RefundRow,
} from './reconciliation-rows.js';
import { iso } from './render.js';
import type { MerchantProfile } from './render.js';

type Kind = Anomaly['kind'];
type Of<K extends Kind> = Extract<Anomaly, { readonly kind: K }>;

/** What a made-up row needs to look like the others. */
interface Forging {
  readonly profile: MerchantProfile;
  /** Of the anomaly, so that its rows are the same each time. */
  readonly seed: string;
}
type Telling = { [K in Kind]: (anomaly: Of<K>, books: Books, forging: Forging) => Books };

const TELLING: Telling = {
  missing_payment: ({ paymentId }, books) => ofRows(books, { paymentId }, () => []),
  missing_refund: ({ refundId }, books) => ofRows(books, { refundId }, () => []),
  payment_without_payout: ({ paymentId }, books) =>
    ofRows(books, { paymentId }, (line) => [changed(line, { payoutId: undefined })]),
  unknown_payment: (anomaly, books, forging) => ({
    ...books,
    payments: [...books.payments, forgedPayment(anomaly, books, forging)],
  }),
  unknown_refund: (anomaly, books, forging) => ({
    ...books,
    refunds: [...books.refunds, forgedRefund(anomaly, books, forging)],
  }),
  wrong_amount: ({ of, amount }, books) => ofRows(books, of, (line) => [changed(line, { amount })]),
  wrong_currency: ({ of, currency }, books) =>
    'payout' in of
      ? ofPayout(books, of.payout, (line) => changed(line, { payoutCurrency: currency }))
      : ofRows(books, of, (line) => [changed(line, { currency })]),
  duplicate_row: ({ of }, books) => ofRows(books, of, (line) => [line, line]),
  paid_twice: ({ of, payout }, books) => {
    const other = findPayout(books, payout);
    if (other === undefined) return books;
    const { businessDay, row } = other;
    const again = { payoutId: row.payoutId };
    return ofRows(books, of, (line) => [line, { ...changed(line, again), businessDay }]);
  },
  payout_total: ({ payout, by }, books) =>
    ofPayout(books, payout, (line) => changed(line, { payoutAmount: line.row.payoutAmount + by })),
  payout_failed: ({ payout }, books) =>
    ofPayout(books, payout, (line) => changed(line, { payoutStatus: 'FAILED' })),
  payout_late: ({ payout, workingDays }, books) =>
    ofPayout(books, payout, (line) => {
      const day = workingDayAfter(line.day, workingDays);
      const lateMs = hourOf(day, 0) - hourOf(line.day, 0);
      const payoutDate = iso(Date.parse(line.row.payoutDate) + lateMs);
      return { ...changed(line, { payoutDate }), day };
    }),
  // Not what is told, but when.
  data_late: (_anomaly, books) => books,
};

/** The books as the API tells them once `anomaly` is added. */
export function told<K extends Kind>(anomaly: Of<K>, books: Books, forging: Forging): Books {
  const tell = TELLING[anomaly.kind];
  const after = tell(anomaly, books, forging);
  return 'totals' in anomaly && anomaly.totals === 'follow' ? withTotals(books, after) : after;
}

/** Until when nothing of a business day is told; undefined where it is told in time. */
export function lateUntil(anomalies: Iterable<Anomaly>, businessDay: string): number | undefined {
  const late = [...anomalies].flatMap((one) =>
    one.kind === 'data_late' && one.businessDay === businessDay ? [one.until] : [],
  );
  return late.length === 0 ? undefined : Math.max(...late);
}

type RowChange = <Row extends PaymentRow>(line: Line<Row>) => readonly Line<Row>[];

function ofRows(books: Books, of: RowSelector, change: RowChange): Books {
  const isRefund = 'refundId' in of;
  const { payments, refunds } = books;
  return isRefund
    ? {
        ...books,
        refunds: refunds.flatMap((line) =>
          line.row.refundId === of.refundId ? change(line) : [line],
        ),
      }
    : {
        ...books,
        payments: payments.flatMap((line) =>
          line.row.paymentId === of.paymentId ? change(line) : [line],
        ),
      };
}

function changed<L extends Line<object>>(
  line: L,
  changes: Partial<PaymentRow> | Partial<PayoutRow>,
): L {
  return { ...line, row: { ...line.row, ...changes } };
}

function findPayout(books: Books, selector: PayoutSelector): PayoutLine | undefined {
  const { payoutId, businessDay, bulkId } = selector;
  return books.payouts.find(
    (line) =>
      (payoutId === undefined || line.row.payoutId === payoutId) &&
      (businessDay === undefined || line.businessDay === businessDay) &&
      (bulkId === undefined || line.row.bulkId === bulkId),
  );
}

function ofPayout(
  books: Books,
  selector: PayoutSelector,
  change: (line: PayoutLine) => PayoutLine,
): Books {
  const found = findPayout(books, selector);
  const payouts = books.payouts.map((line) => (line === found ? change(line) : line));
  return { ...books, payouts };
}

function forgedPayment(
  anomaly: Of<'unknown_payment'> | Of<'unknown_refund'>,
  books: Books,
  { profile, seed }: Forging,
): Line<PaymentRow> {
  const { businessDay, amount, payout = { businessDay } } = anomaly;
  const row = {
    paymentId: idOf(`payment ${seed}`),
    payoutId: findPayout(books, payout)?.row.payoutId,
    paymentProfileId: profile.profileId,
    merchantName: profile.name,
    submerchantName: '',
    submerchantId: '',
    paymentChannel: 'ONLINE',
    currency: 'EUR',
    amount,
    reference: anomaly.kind === 'unknown_payment' ? anomaly.reference : undefined,
    transactionDate: iso(hourOf(businessDay, 12)),
  };
  return { businessDay, row };
}

function forgedRefund(
  anomaly: Of<'unknown_refund'>,
  books: Books,
  forging: Forging,
): Line<RefundRow> {
  const { businessDay, row } = forgedPayment(anomaly, books, forging);
  const { paymentId = row.paymentId } = anomaly;
  return { businessDay, row: { ...row, paymentId, refundId: idOf(`refund ${forging.seed}`) } };
}

function idOf(seed: string): string {
  return sha256Hex(`nobody's ${seed}`).slice(0, 24);
}

interface Sums {
  readonly count: number;
  readonly amount: number;
}

/** Moves each payout's totals by what its rows have become more or less. */
function withTotals(before: Books, after: Books): Books {
  const payouts = after.payouts.map((line) => {
    const { row } = line;
    const payments = difference([before.payments, after.payments], row.payoutId);
    const refunds = difference([before.refunds, after.refunds], row.payoutId);
    return changed(line, {
      totalPayments: row.totalPayments + payments.count,
      totalRefunds: row.totalRefunds + refunds.count,
      totalPaymentAmount: row.totalPaymentAmount + payments.amount,
      totalRefundAmount: row.totalRefundAmount + refunds.amount,
      payoutAmount: row.payoutAmount + payments.amount - refunds.amount,
    });
  });
  return { ...after, payouts };
}

function difference(
  [before, after]: readonly [readonly Line<PaymentRow>[], readonly Line<PaymentRow>[]],
  payoutId: string,
): Sums {
  const [was, is] = [sumsOf(before, payoutId), sumsOf(after, payoutId)];
  return { count: is.count - was.count, amount: is.amount - was.amount };
}

function sumsOf(lines: readonly Line<PaymentRow>[], payoutId: string): Sums {
  const own = lines.filter(({ row }) => row.payoutId === payoutId);
  return { count: own.length, amount: own.reduce((sum, { row }) => sum + row.amount, 0) };
}
