import { isDay } from './calendar.js';

/** One payment's or one refund's row. */
export type RowSelector = { readonly paymentId: string } | { readonly refundId: string };

/** The first payout that agrees with all that is given; it may be made later. */
export interface PayoutSelector {
  readonly payoutId?: string;
  /** Whose payments it pays, `YYYY-MM-DD`. */
  readonly businessDay?: string;
  readonly bulkId?: string;
}

/** Whether the payouts' totals tell the same wrong tale as the rows, or the true one (default). */
interface WithTotals {
  readonly totals?: 'follow';
}

/** One thing that the reconciliation API tells wrongly. What really moved is not touched. */
export type Anomaly =
  /** The row of a payment is left out. */
  | ({ readonly kind: 'missing_payment'; readonly paymentId: string } & WithTotals)
  | ({ readonly kind: 'missing_refund'; readonly refundId: string } & WithTotals)
  /** The row is there, but in no payout. */
  | ({ readonly kind: 'payment_without_payout'; readonly paymentId: string } & WithTotals)
  /** A row of a payment that nobody made; in no payout where none agrees. */
  | ({
      readonly kind: 'unknown_payment';
      readonly businessDay: string;
      readonly amount: number;
      readonly reference?: string;
      /** Default: the first of the business day. */
      readonly payout?: PayoutSelector;
    } & WithTotals)
  /** A row of a refund that nobody made, of the payment told or of one that nobody made either. */
  | ({
      readonly kind: 'unknown_refund';
      readonly businessDay: string;
      readonly amount: number;
      readonly paymentId?: string;
      readonly payout?: PayoutSelector;
    } & WithTotals)
  | ({
      readonly kind: 'wrong_amount';
      readonly of: RowSelector;
      readonly amount: number;
    } & WithTotals)
  | {
      readonly kind: 'wrong_currency';
      readonly of: RowSelector | { readonly payout: PayoutSelector };
      readonly currency: string;
    }
  /** The row stands twice in its payout. */
  | ({ readonly kind: 'duplicate_row'; readonly of: RowSelector } & WithTotals)
  /** The row stands in another payout too, and under its business day. */
  | ({
      readonly kind: 'paid_twice';
      readonly of: RowSelector;
      readonly payout: PayoutSelector;
    } & WithTotals)
  /** `payoutAmount` is off by so many cents, and ties with nothing. */
  | { readonly kind: 'payout_total'; readonly payout: PayoutSelector; readonly by: number }
  | { readonly kind: 'payout_failed'; readonly payout: PayoutSelector }
  /** Dated so many working days later. */
  | { readonly kind: 'payout_late'; readonly payout: PayoutSelector; readonly workingDays: number }
  /** Nothing of a business day is told before this instant of the sandbox's clock. */
  | { readonly kind: 'data_late'; readonly businessDay: string; readonly until: number };

type Kind = Anomaly['kind'];
/** Undefined where a value is what it has to be; otherwise what that is. */
type Check = (value: unknown) => string | undefined;

const must =
  (what: string, isRight: (value: unknown) => boolean): Check =>
  (value) =>
    isRight(value) ? undefined : what;
const text = must('a text', (value) => typeof value === 'string');
const integer = must('an integer', Number.isInteger);
const day = must('a day, YYYY-MM-DD', (value) => typeof value === 'string' && isDay(value));
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined ? undefined : check(value);
const selector = must('a payout by some of its fields', isObject);
const row = must('a paymentId or a refundId', isRow);
const rowOrPayout = must(
  'a paymentId, a refundId or a payout',
  (value) => isRow(value) || (isObject(value) && isObject(value['payout'])),
);

/** What each kind needs. */
const NEEDS: Readonly<Record<Kind, Readonly<Record<string, Check>>>> = {
  missing_payment: { paymentId: text },
  missing_refund: { refundId: text },
  payment_without_payout: { paymentId: text },
  unknown_payment: { businessDay: day, amount: integer, payout: optional(selector) },
  unknown_refund: { businessDay: day, amount: integer, payout: optional(selector) },
  wrong_amount: { of: row, amount: integer },
  wrong_currency: { of: rowOrPayout, currency: text },
  duplicate_row: { of: row },
  paid_twice: { of: row, payout: selector },
  payout_total: { payout: selector, by: integer },
  payout_failed: { payout: selector },
  payout_late: { payout: selector, workingDays: integer },
  data_late: { businessDay: day, until: integer },
};

/** @throws RangeError naming the field that is not as it has to be */
export function checkAnomaly(value: Readonly<Record<string, unknown>>): Anomaly {
  const { kind } = value;
  const needs = Object.hasOwn(NEEDS, String(kind)) ? NEEDS[kind as Kind] : undefined;
  if (needs === undefined)
    throw new RangeError(`kind must be one of ${Object.keys(NEEDS).join(', ')}`);
  for (const [name, check] of Object.entries(needs)) {
    const problem = check(value[name]);
    if (problem !== undefined) throw new RangeError(`${name} must be ${problem}`);
  }
  return value as unknown as Anomaly;
}

function isRow(value: unknown): boolean {
  return (
    isObject(value) && [value['paymentId'], value['refundId']].some((id) => typeof id === 'string')
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
