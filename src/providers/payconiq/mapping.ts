/** Payconiq's words in ours: pure tables. */
import { fact, type Fact, type FactSource } from '../../domain/facts.js';
import { addMoney, money, type Money } from '../../domain/money.js';
import { payerData, type PayerData } from '../../domain/payer.js';
import type { Problem, ProblemCode } from '../../domain/problem.js';
import type { Subject } from '../../domain/subject.js';
import type { Statement } from './wire.js';

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
  /** The object is not in a state for it: its details tell the rest. */
  | { readonly as: 'ask'; readonly code: ProblemCode }
);

/**
 * Documented error codes. One that is missing here, or that comes with a status that does not fit
 * the document, leaves the outcome unknown.
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
} as const satisfies Record<string, ErrorMeaning>;

export function errorMeaning(code: string): ErrorMeaning | undefined {
  return Object.hasOwn(ERRORS, code) ? ERRORS[code as keyof typeof ERRORS] : undefined;
}
