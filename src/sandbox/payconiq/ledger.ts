export type LedgerKind =
  | 'debited'
  | 'paid_out'
  | 'credited_back'
  | 'refunded'
  | 'refund_collected'
  | 'refund_reversed'
  | 'payout';

/** One movement of money that really happened at the provider's. */
export interface LedgerEntry {
  /** Milliseconds since the epoch, by the sandbox's clock. */
  readonly at: number;
  /**
   * - `debited`: the consumer's account, when a payment is confirmed.
   * - `paid_out`: to the merchant, when a payment becomes SUCCEEDED.
   * - `credited_back`: to the consumer, when a payment becomes VOIDED.
   * - `refunded`: to the consumer, when a refund becomes PROCESSING.
   * - `refund_collected`: withheld from the merchant, when a refund becomes REFUNDED.
   * - `refund_reversed`: the consumer's bank sent a refund back. Both of its movements are undone:
   *   the consumer has not the money, the merchant has it again.
   * - `payout`: to the merchant's bank, for many payments at once, less refunds. Dated when it is
   *   paid, which is after the run that made it.
   */
  readonly kind: LedgerKind;
  /** Undefined for a payout. */
  readonly paymentId: string | undefined;
  readonly reference: string | undefined;
  /** Of a refund's movements. */
  readonly refundId?: string;
  readonly payoutId?: string;
  /** Euro cents, tip included; of a refund or payout, its own amount. */
  readonly amountMinor: number;
}

/** Append-only. */
export interface SandboxLedger {
  entries(): readonly LedgerEntry[];
  ofPayment(paymentId: string): readonly LedgerEntry[];
  ofReference(reference: string): readonly LedgerEntry[];
}

export interface LedgerWriter extends SandboxLedger {
  append(entry: LedgerEntry): void;
}

export function createLedger(): LedgerWriter {
  const log: LedgerEntry[] = [];
  return {
    append: (entry) => void log.push(Object.freeze(entry)),
    entries: () => [...log],
    ofPayment: (paymentId) => log.filter((entry) => entry.paymentId === paymentId),
    ofReference: (reference) => log.filter((entry) => entry.reference === reference),
  };
}
