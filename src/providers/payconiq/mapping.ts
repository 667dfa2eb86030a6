/** Payconiq's words in ours: pure tables. */
import { fact, type Fact, type FactSource } from '../../domain/facts.js';
import { addMoney, money, type Money } from '../../domain/money.js';
import { payerData, type PayerData } from '../../domain/payer.js';
import type { Problem, ProblemCode } from '../../domain/problem.js';
import type { RefundStanding } from '../../domain/refund.js';
import type { ReportedLine, ReportedPayout } from '../../domain/report.js';
import type { Subject } from '../../domain/subject.js';
import type { LineRow, PayoutRow, Statement } from './wire.js';

/** @see payconiq.txt L689-701, L11985-12012 */
export const PAYCONIQ_STATUSES = [
  'PENDING',
  'IDENTIFIED',
  'AUTHORIZED',
  'PENDING_MERCHANT_ACKNOWLEDGEMENT',
  'SUCCEEDED',
  'VOIDED',
  'AUTHORIZATION_FAILED',
  'FAILED',
  'CANCELLED',
  'EXPIRED',
] as const;

export type PayconiqStatus = (typeof PAYCONIQ_STATUSES)[number];

interface StatusMeaning {
  /** The facts a status proves, earlier ones included. */
  readonly proves: readonly Fact['kind'][];
  /** Where DELETE may still do something. @see payconiq.txt L2229, L2358, L13594 */
  readonly isReleasable: boolean;
  /** A final status never changes (L11994). */
  readonly isFinal: boolean;
  readonly problem?: Problem;
}

const declined = (code: ProblemCode, providerCode: string, message: string): Problem => ({
  code,
  providerCode,
  message,
});

/** `AUTHORIZED` is not yet at the bank: no money. */
export const STATUS = {
  PENDING: { proves: ['created'], isReleasable: true, isFinal: false },
  IDENTIFIED: { proves: ['processing'], isReleasable: true, isFinal: false },
  AUTHORIZED: { proves: ['processing'], isReleasable: false, isFinal: false },
  PENDING_MERCHANT_ACKNOWLEDGEMENT: { proves: ['authorized'], isReleasable: true, isFinal: false },
  SUCCEEDED: { proves: ['authorized', 'captured'], isReleasable: false, isFinal: true },
  VOIDED: { proves: ['authorized', 'voided'], isReleasable: false, isFinal: true },
  AUTHORIZATION_FAILED: {
    proves: ['declined'],
    isReleasable: false,
    isFinal: true,
    problem: declined(
      'declined_by_issuer',
      'AUTHORIZATION_FAILED',
      "the payer's bank did not approve the payment (funds, limits or validation)",
    ),
  },
  FAILED: {
    proves: ['declined'],
    isReleasable: false,
    isFinal: true,
    problem: declined(
      'declined_by_provider',
      'FAILED',
      'Payconiq could not confirm the payment (payer or merchant data)',
    ),
  },
  CANCELLED: { proves: ['canceled'], isReleasable: false, isFinal: true },
  EXPIRED: { proves: ['expired'], isReleasable: false, isFinal: true },
} as const satisfies Record<PayconiqStatus, StatusMeaning>;

/** The meaning of a status, or undefined for one the document does not name. */
export function statusMeaning(status: string): StatusMeaning | undefined {
  return Object.hasOwn(STATUS, status) ? STATUS[status as PayconiqStatus] : undefined;
}

const CARRIES_MONEY: ReadonlySet<Fact['kind']> = new Set(['authorized', 'captured', 'voided']);

/** The facts that a callback or the details prove; undefined for an unknown status. */
export function factsOf(
  statement: Statement,
  learned: { readonly source: FactSource; readonly atMs: number },
): readonly Fact[] | undefined {
  const meaning = statusMeaning(statement.status);
  if (!meaning) return undefined;
  const { total, tip } = amountsOf(statement);
  const learnedAt = new Date(learned.atMs).toISOString();
  return meaning.proves.map((kind) =>
    fact({
      kind,
      object: statement.paymentId,
      ...(CARRIES_MONEY.has(kind) && { amount: total, ...(tip.minor !== '0' && { tip }) }),
      ...(kind === 'declined' && meaning.problem && { problem: meaning.problem }),
      occurredAt: happenedAt(kind, statement) ?? learnedAt,
      source: learned.source,
    }),
  );
}

/** The moments that Payconiq tells: creation, and success for what led to it. In UTC. */
function happenedAt(kind: Fact['kind'], statement: Statement): string | undefined {
  const told = kind === 'created' ? statement.createdAt : statement.succeededAt;
  return told ? new Date(told).toISOString() : undefined;
}

/** `amount` is what we asked for; the payer pays `totalAmount`, which has the tip in it. */
export function amountsOf(statement: Statement): { amount: Money; tip: Money; total: Money } {
  const currency = statement.currency ?? 'EUR';
  const amount = money(statement.amount, currency);
  const tip = money(statement.tippingAmount ?? 0, currency);
  const total =
    statement.totalAmount === undefined
      ? addMoney(amount, tip)
      : money(statement.totalAmount, currency);
  return { amount, tip, total };
}

/**
 * Who paid, for the store alone. Callbacks name the debtor; only details have the message.
 * @see payconiq.txt L525-532, L1534-1566
 */
export function payerOf({ debtor, message }: Statement): PayerData | undefined {
  return payerData({ name: debtor?.name, iban: debtor?.iban, message });
}

/** How the payment that this is about can be found. */
export function subjectOf(statement: Statement): Subject {
  const { reference, description, createdAt } = statement;
  return {
    ...(reference !== undefined && { reference }),
    ...(description !== undefined && { description }),
    amount: amountsOf(statement).amount,
    createdAt: new Date(createdAt).toISOString(),
  };
}

type ErrorMeaning = {
  /** The status it comes with; absent where the document names none. */
  readonly status?: 400 | 401 | 403 | 404 | 422;
} & (
  | { readonly as: 'rejected' | 'declined'; readonly code: ProblemCode }
  /** Nothing was processed; later it may be. */
  | { readonly as: 'later' }
  /** The same, in a day or two. */
  | { readonly as: 'not_yet'; readonly code: ProblemCode }
  /** The object is not in a state for it: its details tell the rest. */
  | { readonly as: 'ask'; readonly code: ProblemCode }
  /** It does not tell what became of the call. */
  | { readonly as: 'unknown'; readonly code: ProblemCode }
);

/** The documented error codes of some operations. */
export type ErrorTable = Readonly<Record<string, ErrorMeaning>>;

/**
 * Documented error codes of payments. One that is missing here, or that comes with a status that does
 * not fit the document, leaves the outcome unknown.
 * @see payconiq.txt L707-725, L1138-1168, L2165-2198, L2305-2334
 */
export const ERRORS = {
  BODY_MISSING: { status: 400, as: 'rejected', code: 'provider_refused' },
  FIELD_REQUIRED: { as: 'rejected', code: 'provider_refused' },
  FIELD_IS_REQUIRED: { status: 400, as: 'rejected', code: 'provider_refused' },
  FIELD_IS_INVALID: { status: 400, as: 'rejected', code: 'provider_refused' },
  MERCHANT_PROFILE_NOT_FOUND: { status: 404, as: 'rejected', code: 'provider_refused' },
  UNAUTHORIZED: { status: 401, as: 'rejected', code: 'unauthorized' },
  ACCESS_DENIED: { status: 403, as: 'rejected', code: 'unauthorized' },
  UNABLE_TO_PAY_CREDITOR: { status: 422, as: 'declined', code: 'declined_by_provider' },
  QR_NO_LONGER_IN_USE: { as: 'declined', code: 'declined_by_provider' },
  CALLER_NOT_ALLOWED_TO_CANCEL: { status: 403, as: 'declined', code: 'provider_refused' },
  TRY_AGAIN_LATER: { as: 'later' },
  PAYMENT_VOIDED: { status: 422, as: 'ask', code: 'already_voided' },
  PAYMENT_NOT_PENDING: { status: 422, as: 'ask', code: 'not_pending' },
  PAYMENT_NOT_FOUND: { status: 404, as: 'ask', code: 'not_found' },
  PAYMENT_CONFLICT: { as: 'ask', code: 'not_pending' },
} as const satisfies ErrorTable;

/**
 * Those of refunds. What is declined made no refund under our key. A conflict says that something of
 * our key is there, with other contents: only a person can tell what.
 *
 * @see payconiq.txt L11325-11380, L11459-11494
 */
export const REFUND_ERRORS = {
  VALIDATION_ERROR: { status: 400, as: 'rejected', code: 'provider_refused' },
  UNAUTHORIZED: ERRORS.UNAUTHORIZED,
  ACCESS_DENIED: ERRORS.ACCESS_DENIED,
  PAYMENT_NOT_FOUND: { status: 404, as: 'declined', code: 'not_found' },
  PAYMENT_FOR_REFUND_NOT_FOUND: { status: 422, as: 'declined', code: 'not_found' },
  INVALID_REFUND_AMOUNT: { status: 422, as: 'declined', code: 'amount_unavailable' },
  REFUND_NOT_ALLOWED: { status: 422, as: 'declined', code: 'not_allowed' },
  REFUND_NOT_POSSIBLE: { status: 422, as: 'declined', code: 'not_possible' },
  DEBTOR_IBAN_NOT_AVAILABLE: { status: 422, as: 'not_yet', code: 'not_available_yet' },
  REFUND_REQUEST_CONFLICT: { status: 422, as: 'unknown', code: 'key_conflict' },
  REFUND_NOT_FOUND: { status: 404, as: 'unknown', code: 'not_found' },
} as const satisfies ErrorTable;

/** Those of the reports. @see payconiq.txt L10731-10750, L10946-10969, L11170-11194 */
export const REPORT_ERRORS = {
  BAD_REQUEST: { status: 400, as: 'rejected', code: 'provider_refused' },
  UNAUTHORIZED: ERRORS.UNAUTHORIZED,
  ACCESS_DENIED: ERRORS.ACCESS_DENIED,
  PAYOUT_NOT_FOUND: { status: 404, as: 'unknown', code: 'not_found' },
} as const satisfies ErrorTable;

export function errorMeaning(code: string, table: ErrorTable = ERRORS): ErrorMeaning | undefined {
  return Object.hasOwn(table, code) ? table[code] : undefined;
}

/** Whether the document names this code, for whatever operation. */
export function isDocumented(code: string): boolean {
  return [ERRORS, REFUND_ERRORS, REPORT_ERRORS].some((table) => Object.hasOwn(table, code));
}

/** In PROCESSING the payer has the money already. @see payconiq.txt L11451-11457 */
export const REFUND_STATUS = {
  PENDING: 'pending',
  PROCESSING: 'processing',
  REFUNDED: 'succeeded',
  FAILED: 'failed',
} as const satisfies Record<string, RefundStanding>;

/** How a refund stands, or undefined for a status the document does not name. */
export function refundStanding(status: string): RefundStanding | undefined {
  return Object.hasOwn(REFUND_STATUS, status)
    ? REFUND_STATUS[status as keyof typeof REFUND_STATUS]
    : undefined;
}

/** @see payconiq.txt L10687-10690 */
const PAYOUT_STATUS = { SUCCEEDED: 'succeeded', FAILED: 'failed' } as const satisfies Record<
  PayoutRow['payoutStatus'],
  ReportedPayout['status']
>;

/** What is not bulked by an id of the merchant's. @see payconiq.txt L10681 */
const NO_BULK = 'NONE';

/** @see payconiq.txt L10669-10714 */
export function reportedPayout(row: PayoutRow): ReportedPayout {
  const { payoutDate, bulkId, iban, currency } = row;
  return {
    payoutReference: row.payoutId,
    status: PAYOUT_STATUS[row.payoutStatus],
    ...(payoutDate !== undefined && { paidAt: utc(payoutDate) }),
    ...(bulkId !== undefined && bulkId !== NO_BULK && { group: bulkId }),
    ...(iban !== undefined && { account: iban }),
    payments: { count: row.totalPayments, amount: money(row.totalPaymentAmount, currency) },
    refunds: { count: row.totalRefunds, amount: money(row.totalRefundAmount, currency) },
    amount: money(row.payoutAmount, currency),
  };
}

/** @see payconiq.txt L10889-10935, L11110-11160 */
export function reportedLine(row: LineRow): ReportedLine {
  const { refundId, payoutId, reference, description } = row;
  return {
    kind: refundId === undefined ? 'payment' : 'refund',
    providerReference: row.paymentId,
    ...(refundId !== undefined && { refundReference: refundId }),
    ...(payoutId !== undefined && { payoutReference: payoutId }),
    amount: money(row.amount, row.currency),
    occurredAt: utc(row.transactionDate),
    ...(reference !== undefined && { merchantReference: reference }),
    ...(description !== undefined && { description }),
  };
}

function utc(time: string): string {
  return new Date(time).toISOString();
}
