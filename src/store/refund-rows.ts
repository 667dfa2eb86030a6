import type { Updateable } from 'kysely';
import type { Refund, RefundRequest } from '../domain/refund.js';
import type { RefundRow, RefundsTable } from './database.js';
import { present, presentMoney, presentTime, toJsonOrNull, toTimeOrNull } from './values.js';

/** What is stored of a refund, to go on from. */
export interface LoadedRefund {
  readonly refund: Refund;
  readonly request: RefundRequest;
  readonly revision: number;
}

export function toRefund(row: RefundRow): Refund {
  return {
    refundId: row.refund_id,
    paymentId: row.payment_id,
    ...present('connectionId', row.connection_id),
    ...presentMoney('amount', { minor: row.amount_minor, currency: row.amount_currency }),
    ...present('paymentReference', row.payment_reference),
    ...present('description', row.description),
    status: row.status,
    ...present('providerReference', row.provider_reference),
    ...present('problem', row.problem),
    ...present('attention', row.attention),
    ...presentTime('unknownSince', row.unknown_since),
    ...present('operation', row.operation),
    ...present('repairs', row.repairs),
    ended: row.ended,
    requestedAt: row.requested_at.toISOString(),
  };
}

export function toStoredRefund(row: RefundRow): LoadedRefund {
  const refund = toRefund(row);
  const { refundId, paymentId, amount, paymentReference, description, requestedAt } = refund;
  const request = {
    refundId,
    paymentId,
    ...present('amount', amount),
    ...present('paymentReference', paymentReference),
    ...present('description', description),
    requestedAt,
  };
  return { refund, request, revision: Number(row.revision) };
}

/** All that can change, and what the first insert takes besides. */
export function toRefundRow(refund: Refund) {
  return {
    refund_id: refund.refundId,
    payment_id: refund.paymentId,
    connection_id: refund.connectionId ?? null,
    payment_reference: refund.paymentReference ?? null,
    amount_minor: refund.amount?.minor ?? null,
    amount_currency: refund.amount?.currency ?? null,
    description: refund.description ?? null,
    status: refund.status,
    provider_reference: refund.providerReference ?? null,
    problem: toJsonOrNull(refund.problem),
    attention: toJsonOrNull(refund.attention),
    unknown_since: toTimeOrNull(refund.unknownSince),
    operation: toJsonOrNull(refund.operation),
    repairs: toJsonOrNull(refund.repairs),
    ended: refund.ended,
  } satisfies Updateable<RefundsTable>;
}
