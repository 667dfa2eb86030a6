/** The double-entry ledger's words. */
import type { Money } from './money.js';

/**
 * The accounts of each connection.
 *
 * - `payer`: where money comes from.
 * - `provider_pending`: captured, and in no payout yet.
 * - `provider_balance`: in a payout, and not yet at the bank.
 * - `refunds`: given back to payers.
 * - `fees`: kept by the provider, where it says so.
 * - `merchant_bank`: paid out.
 */
export const ACCOUNTS = [
  'payer',
  'provider_pending',
  'provider_balance',
  'refunds',
  'fees',
  'merchant_bank',
] as const;

export type Account = (typeof ACCOUNTS)[number];

/**
 * - `pending`: adds to a hold. `void`: releases some of it.
 * - `post`: moves money, out of a hold if it names one.
 */
export const LEDGER_PHASES = ['pending', 'post', 'void'] as const;

export type LedgerPhase = (typeof LEDGER_PHASES)[number];

/** What stands on both sides of one account, in one currency. */
export interface AccountBalance {
  readonly connectionId: string;
  readonly account: Account;
  readonly postedDebits: Money;
  readonly postedCredits: Money;
  /** Held: neither posted nor released. */
  readonly pendingDebits: Money;
  readonly pendingCredits: Money;
}

export interface Balances {
  /** Those with any entry, by connection, currency and account. */
  readonly accounts: readonly AccountBalance[];
  /** Debits less credits of each currency, posted and pending: zero, or the ledger is broken. */
  readonly trial: readonly Money[];
}

/** One movement, as written. */
export interface LedgerEntry {
  /** Derived: the same movement is the same entry, however often it is written. */
  readonly entryId: string;
  readonly phase: LedgerPhase;
  readonly debit: Account;
  readonly credit: Account;
  /** Positive. */
  readonly amount: Money;
  /** The hold it adds to, or takes from. */
  readonly hold?: string;
  /** What it is part of: what one slot sums up to only grows. */
  readonly slot: string;
}
