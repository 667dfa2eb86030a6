import type { Fact } from './facts.js';
import type { PaymentId, RefundId } from './ids.js';
import type { Money } from './money.js';
import type { OperationRecord } from './payment.js';
import type { Problem } from './problem.js';
import type { Recovery } from './terms.js';

/** What a backend asks for: captured money of a payment is to go back. JSON, as it travels. */
export interface RefundRequest {
  /** Made and kept by the caller: a repeat with the same id is the same refund. */
  readonly refundId: RefundId;
  readonly paymentId: PaymentId;
  /** Absent: all that is left to refund. */
  readonly amount?: Money;
  /** Of a payment that was paid more than once: the provider's id of the object to refund. */
  readonly paymentReference?: string;
  /** Shown to the payer. */
  readonly description?: string;
  /** When it was asked for. ISO 8601, UTC; set by the client. */
  readonly requestedAt: string;
}

/**
 * - `requested`: the store has not set the amount aside yet.
 * - `reserved`: the amount is set aside; the provider has not taken it, or not for now.
 * - `unknown`: it may have been sent, and no usable answer has come.
 * - `pending`: the provider took it; no money has moved.
 * - `processing`: the payer has the money; the provider has not collected it from us.
 * - `succeeded`: done on both sides. `reversed`: done, and it came back later.
 * - `failed`: ended at the provider, or refused there, without money moving.
 * - `rejected`: refused here; nothing was set aside and nothing sent.
 */
export const REFUND_STATUSES = [
  'requested',
  'reserved',
  'unknown',
  'pending',
  'processing',
  'succeeded',
  'failed',
  'reversed',
  'rejected',
] as const;

export type RefundStatus = (typeof REFUND_STATUSES)[number];

/** How a refund stands at the provider. */
export const REFUND_STANDINGS = ['pending', 'processing', 'succeeded', 'failed'] as const;

export type RefundStanding = (typeof REFUND_STANDINGS)[number];

/** In these the payer has, or had, the money. */
const PAID: readonly RefundStatus[] = ['processing', 'succeeded', 'reversed'];

export function isPaid(status: RefundStatus): boolean {
  return PAID.includes(status);
}

/** In these the amount is set aside, though no fact says yet that it has gone. */
export const RESERVING_STATUSES = [
  'reserved',
  'unknown',
  'pending',
] as const satisfies readonly RefundStatus[];

/** Why a person should look at a refund, since when. */
export interface RefundAttention {
  readonly reason: RefundAttentionReason;
  readonly since: string;
}

export const REFUND_ATTENTION_REASONS = [
  'outcome_unknown',
  /** The provider has our key with other contents: no repeat can tell what became of it. */
  'key_conflict',
  /** It should have been possible, or done, by now. */
  'overdue',
  /** It was done, and came back. */
  'reversed',
] as const;

export type RefundAttentionReason = (typeof REFUND_ATTENTION_REASONS)[number];

/**
 * What a person can do to a refund whose course has gone wrong.
 *
 * - `ask`: the provider is asked, and its answer believed.
 * - `state`: how it stands, of which the person has evidence.
 * - `dismiss`: it has been looked at and needs no attention.
 */
export type RefundRepair =
  | { readonly kind: 'ask' }
  | {
      readonly kind: 'state';
      readonly status: StatableRefundStatus;
      /** The provider's id of it, where none is known. */
      readonly providerReference?: string;
    }
  | { readonly kind: 'dismiss' };

export const REFUND_REPAIR_KINDS = [
  'ask',
  'state',
  'dismiss',
] as const satisfies readonly RefundRepair['kind'][];

export const STATABLE_REFUND_STATUSES = [
  'succeeded',
  'failed',
  'reversed',
] as const satisfies readonly RefundStatus[];

export type StatableRefundStatus = (typeof STATABLE_REFUND_STATUSES)[number];

export interface RefundRepairCommand {
  readonly repair: RefundRepair;
  /** Who. */
  readonly actor: string;
  readonly reason: string;
}

export interface RefundRepairRecord extends RefundRepairCommand {
  /** ISO 8601. */
  readonly at: string;
}

/** What a refund's workflow has to know of the provider. */
export interface RefundTerms {
  readonly recovery: Recovery;
}

/** A refund as everybody sees it: API, client, workflow query and store. */
export interface Refund {
  readonly refundId: RefundId;
  readonly paymentId: PaymentId;
  /** This and the next two are absent while it is not reserved. */
  readonly connectionId?: string;
  readonly amount?: Money;
  readonly paymentReference?: string;
  readonly description?: string;
  readonly status: RefundStatus;
  /** The provider's id of the refund. */
  readonly providerReference?: string;
  /** Why it was rejected or failed, or cannot go out yet. */
  readonly problem?: Problem;
  readonly attention?: RefundAttention;
  /** Since when its outcome is unknown. */
  readonly unknownSince?: string;
  /** The attempts at it; absent before the first. */
  readonly operation?: OperationRecord<'refund'>;
  /** What persons did to it, oldest first; absent if nothing. */
  readonly repairs?: readonly RefundRepairRecord[];
  /** Whether Holdfast has nothing left to do for it. */
  readonly ended: boolean;
  readonly requestedAt: string;
}

/** All that is to be recorded of a refund. What is older than what is recorded changes nothing. */
export interface RefundRecord {
  readonly refund: Refund;
  /** What it says of its payment. */
  readonly facts: readonly Fact[];
  /** Grows with every change, over all its runs. */
  readonly revision: number;
}
