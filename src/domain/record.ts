import type { Fact } from './facts.js';
import type {
  Attention,
  NextAction,
  OperationRecord,
  PaymentRequest,
  RepairRecord,
} from './payment.js';
import type { Terms } from './terms.js';

/** What the provider said of a payment besides facts. */
export interface Particulars {
  readonly providerReference?: string;
  readonly nextAction?: NextAction;
  readonly terms?: Terms;
}

/**
 * All that is to be recorded of a payment. Status and amounts are not part of it: the store derives
 * them from every fact it has. Recording the same twice, or something older later, changes nothing.
 */
export interface PaymentRecord {
  readonly request: PaymentRequest;
  readonly particulars: Particulars;
  readonly facts: readonly Fact[];
  readonly operations: readonly OperationRecord[];
  readonly progress: Progress;
}

/** Where the workflow stands; the record with the higher revision wins. */
export interface Progress {
  /** Grows with every change within a payment, over all its runs. */
  readonly revision: number;
  readonly ended: boolean;
  readonly captureBefore?: string;
  readonly attention?: Attention;
  readonly unknownSince?: string;
  readonly repairs?: readonly RepairRecord[];
}

/** A payment as loaded back from the store. */
export type StoredPayment = PaymentRecord;
