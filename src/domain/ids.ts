/**
 * Ids and keys. An id is made by whoever asks for the payment, and kept before anything is sent,
 * so that a repeat meets the same payment.
 */
export type PaymentId = string;

const PAYMENT_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** 1 to 64 letters, digits, `_` or `-`, beginning with a letter or digit. */
export function isPaymentId(candidate: string): candidate is PaymentId {
  return PAYMENT_ID.test(candidate);
}

/** As of a payment: made by whoever asks, in the same form. */
export type RefundId = string;

/** The operations on a payment that can move money. */
export const OPERATION_NAMES = ['create', 'capture', 'void', 'cancel'] as const;

export type OperationName = (typeof OPERATION_NAMES)[number];

/** Names one operation of one payment; a repeat has the same, another attempt the next sequence. */
export interface OperationRef {
  readonly paymentId: PaymentId;
  readonly operation: OperationName;
  /** From 1. Raised only after proof that the one before did nothing, or cannot be paid. */
  readonly sequence: number;
}

/** The idempotency key of an operation: the same over every repeat of it. */
export function operationKey({ paymentId, operation, sequence }: OperationRef): string {
  return `${paymentId}/${operation}/${sequence}`;
}

/** The same of a refund. */
export function refundKey(refundId: RefundId, sequence: number): string {
  return `${refundId}/refund/${sequence}`;
}

/** The object that stands for a payment of which the provider knows nothing yet. */
export function expectedObject(paymentId: PaymentId): string {
  return `${paymentId}/expected`;
}

/** The id of the durable workflow that carries a payment. */
export function paymentWorkflowId(paymentId: PaymentId): string {
  return `payment/${paymentId}`;
}

/** The id of the durable workflow that carries a refund. */
export function refundWorkflowId(refundId: RefundId): string {
  return `refund/${refundId}`;
}
