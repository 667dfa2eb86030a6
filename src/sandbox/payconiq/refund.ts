/** @see payconiq.txt L11451-11457 */
export const REFUND_STATUSES = ['PENDING', 'PROCESSING', 'REFUNDED', 'FAILED'] as const;
export type RefundStatus = (typeof REFUND_STATUSES)[number];

/**
 * Where each status can go. REFUNDED → FAILED is in no document: the consumer's bank sent the money
 * back, weeks later.
 */
export const REFUND_TRANSITIONS = {
  PENDING: ['PROCESSING', 'FAILED'],
  PROCESSING: ['REFUNDED'],
  REFUNDED: ['FAILED'],
  FAILED: [],
} as const satisfies Record<RefundStatus, readonly RefundStatus[]>;

/** How far new refunds get by themselves. */
export const REFUND_COURSES = ['refunded', 'processing', 'failed', 'pending'] as const;
export type RefundCourse = (typeof REFUND_COURSES)[number];

/** Why no refund is taken: none of this merchant, or none of one payment at the moment. */
export const REFUSALS = ['REFUND_NOT_ALLOWED', 'REFUND_NOT_POSSIBLE'] as const;
export type RefundRefusal = (typeof REFUSALS)[number];

/** One refund at the provider's, as it stands. Times are milliseconds by the sandbox's clock. */
export interface SandboxRefund {
  readonly refundId: string;
  readonly paymentId: string;
  /** The merchant's, of the payment. */
  readonly reference: string | undefined;
  /** Euro cents. */
  readonly amount: number;
  readonly currency: string;
  readonly description: string | undefined;
  /** Undefined where it was made at the portal. */
  readonly idempotencyKey: string | undefined;
  readonly status: RefundStatus;
  readonly createdAt: number;
  /** When the merchant was debited; stays when the refund is reversed. */
  readonly refundedAt?: number;
  readonly history: readonly { readonly at: number; readonly status: RefundStatus }[];
}
