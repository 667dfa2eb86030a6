import type { Fact } from '../domain/facts.js';
import { money, type Money } from '../domain/money.js';
import type { OperationRecord, Payment, PaymentRequest } from '../domain/payment.js';
import type { StoredPayment } from '../domain/record.js';
import type { Amounts } from '../domain/reducer.js';
import type { FactRow, OperationRow, PaymentRow } from './database.js';
import { present, presentMoney, presentTime } from './values.js';

/** The payment as everybody sees it. `nextAction` is shown while the payer has to act. */
export function toPayment(row: PaymentRow, operations: readonly OperationRecord[]): Payment {
  const mustAct = row.status === 'requires_action';
  return {
    paymentId: row.payment_id,
    connectionId: row.connection_id,
    merchantReference: row.merchant_reference,
    ...present('description', row.description),
    captureMode: row.capture_mode,
    status: row.status,
    amounts: toAmounts(row),
    ...present('providerReference', row.provider_reference),
    ...present('nextAction', mustAct ? row.next_action : null),
    ...present('payerDeadline', row.terms?.payerDeadline),
    ...presentTime('captureBefore', row.capture_before),
    ...present('problem', row.problem),
    flags: row.flags,
    ...present('attention', row.attention),
    ...presentTime('unknownSince', row.unknown_since),
    operations,
    ...present('repairs', row.repairs),
    ...present('origin', row.origin),
    ended: row.ended,
    requestedAt: row.requested_at.toISOString(),
  };
}

function toAmounts(row: PaymentRow): Amounts {
  const inOwnCurrency = (minor: string): Money => money(minor, row.currency);
  return {
    ...(row.requested_minor !== null && { requested: inOwnCurrency(row.requested_minor) }),
    authorized: inOwnCurrency(row.authorized_minor),
    captured: inOwnCurrency(row.captured_minor),
    voided: inOwnCurrency(row.voided_minor),
    refunded: inOwnCurrency(row.refunded_minor),
  };
}

/** All that was recorded, to resume the payment from. */
export function toStoredPayment(
  row: PaymentRow,
  parts: { readonly facts: readonly Fact[]; readonly operations: readonly OperationRecord[] },
): StoredPayment {
  return {
    request: toRequest(row),
    particulars: {
      ...present('providerReference', row.stated_reference),
      ...present('nextAction', row.next_action),
      ...present('terms', row.terms),
    },
    ...parts,
    progress: {
      revision: Number(row.revision),
      ended: row.ended,
      ...presentTime('captureBefore', row.capture_before),
      ...present('attention', row.attention),
      ...presentTime('unknownSince', row.unknown_since),
      ...present('repairs', row.repairs),
    },
  };
}

/** The request as first recorded. */
export function toRequest(row: PaymentRow): PaymentRequest {
  return {
    paymentId: row.payment_id,
    connectionId: row.connection_id,
    amount: { ...present('minor', row.requested_minor), currency: row.currency },
    captureMode: row.capture_mode,
    merchantReference: row.merchant_reference,
    ...present('description', row.description),
    ...present('returnUrl', row.return_url),
    ...presentTime('captureBefore', row.requested_capture_before),
    ...present('atDeadline', row.at_deadline),
    ...present('origin', row.origin),
    requestedAt: row.requested_at.toISOString(),
    ...present('options', row.options),
  };
}

export function toFact(row: FactRow): Fact {
  return {
    id: row.fact_id,
    kind: row.kind,
    object: row.object,
    ...present('part', row.part),
    ...presentMoney('amount', { minor: row.amount_minor, currency: row.amount_currency }),
    ...presentMoney('tip', { minor: row.tip_minor, currency: row.tip_currency }),
    ...present('problem', row.problem),
    occurredAt: row.occurred_at.toISOString(),
    source: row.source,
  };
}

export function toOperation(row: OperationRow): OperationRecord {
  return {
    operation: row.operation,
    sequence: row.sequence,
    key: row.key,
    state: row.state,
    ...presentMoney('amount', { minor: row.amount_minor, currency: row.amount_currency }),
    intendedAt: row.intended_at.toISOString(),
    ...presentTime('settledAt', row.settled_at),
    ...present('problem', row.problem),
  };
}
