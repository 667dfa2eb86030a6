/** What providers report of a business day: rows to be matched with what we know. */
import type { Money } from './money.js';

/** A calendar day where the provider is: `YYYY-MM-DD`. */
export type Day = string;

/** From and to, both included. */
export interface DayRange {
  readonly from: Day;
  readonly to: Day;
}

/** One payment or refund in a report. */
export interface ReportedLine {
  readonly kind: 'payment' | 'refund';
  /** The provider's id of the payment, for refunds too. */
  readonly providerReference: string;
  /** Of a refund: the provider's id of it. */
  readonly refundReference?: string;
  /** Absent while it is in no payout. */
  readonly payoutReference?: string;
  readonly amount: Money;
  /** When it happened at the provider. ISO 8601, UTC. */
  readonly occurredAt: string;
  readonly merchantReference?: string;
  readonly description?: string;
}

/** One transfer to the merchant's bank account. */
export interface ReportedPayout {
  readonly payoutReference: string;
  readonly status: 'succeeded' | 'failed';
  /** When it was made. ISO 8601, UTC; absent where the provider does not say. */
  readonly paidAt?: string;
  /** The merchant's own id that its payments were gathered by, if any. */
  readonly group?: string;
  /** The merchant's account. */
  readonly account?: string;
  readonly payments: Total;
  readonly refunds: Total;
  /** What the merchant's bank gets. */
  readonly amount: Money;
}

export interface Total {
  readonly count: number;
  readonly amount: Money;
}
