export type LedgerKind = 'debited' | 'paid_out' | 'credited_back';

/** One movement of money that really happened at the provider's. */
export interface LedgerEntry {
  /** Milliseconds since the epoch, by the sandbox's clock. */
  readonly at: number;
  /**
   * - `debited`: the consumer's account, when a payment is confirmed.
   * - `paid_out`: to the merchant, when a payment becomes SUCCEEDED.
   * - `credited_back`: to the consumer, when a payment becomes VOIDED.
   */
  readonly kind: LedgerKind;
  readonly paymentId: string;
  readonly reference: string | undefined;
  /** Euro cents, tip included. */
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
