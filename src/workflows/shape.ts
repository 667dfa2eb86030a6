import { ApplicationFailure } from '@temporalio/workflow';
import { isPaymentId, paymentWorkflowId, refundWorkflowId } from '../domain/ids.js';
import { CAPTURE_MODES, type PaymentRequest } from '../domain/payment.js';
import type { RefundRequest } from '../domain/refund.js';
import { UPDATE_REFUSALS } from './contract.js';
import { violationWords } from '../domain/problem.js';

type Field = [name: string, isFine: boolean];

/**
 * Refuses what no payment can be made of, not even a rejected one: fields that are missing or of
 * another type, from a caller that went past our client. This is about shape alone and never
 * changes; the rules, which may change under running payments, are checked by the first activity.
 *
 * @throws ApplicationFailure `invalid_request`, its details naming each field
 */
export function refuseMalformed(request: PaymentRequest | undefined, workflowId: string): void {
  refuse(fieldsOf(request ?? {}, workflowId));
}

/** As {@link refuseMalformed}, of what no refund can be made of. */
export function refuseMalformedRefund(
  request: RefundRequest | undefined,
  workflowId: string,
): void {
  refuse(refundFieldsOf(request ?? {}, workflowId));
}

function refuse(fields: readonly Field[]): void {
  const violations = fields
    .filter(([, isFine]) => !isFine)
    .map(([field]) => ({ field, rule: 'is missing or malformed' }));
  if (violations.length === 0) return;
  throw ApplicationFailure.create({
    message: violationWords(violations),
    type: UPDATE_REFUSALS.invalid,
    nonRetryable: true,
    details: [violations],
  });
}

function fieldsOf(
  request: { readonly [Name in keyof PaymentRequest]?: unknown },
  workflowId: string,
): Field[] {
  const { paymentId, connectionId, captureMode, merchantReference, requestedAt } = request;
  const { minor, currency } = (request.amount ?? {}) as { minor?: unknown; currency?: unknown };
  return [
    // Under any other workflow id, the same payment could be carried twice.
    ['paymentId', isId(paymentId) && workflowId === paymentWorkflowId(paymentId)],
    ['connectionId', isText(connectionId)],
    ['amount.minor', minor === undefined || isMinor(minor)],
    ['amount.currency', isCurrency(currency)],
    ['captureMode', CAPTURE_MODES.some((mode) => mode === captureMode)],
    ['merchantReference', isText(merchantReference)],
    ['requestedAt', isTime(requestedAt)],
  ];
}

function refundFieldsOf(
  request: { readonly [Name in keyof RefundRequest]?: unknown },
  workflowId: string,
): Field[] {
  const { refundId, paymentId, amount, paymentReference, description, requestedAt } = request;
  const { minor, currency } = (amount ?? {}) as { minor?: unknown; currency?: unknown };
  return [
    ['refundId', isId(refundId) && workflowId === refundWorkflowId(refundId)],
    ['paymentId', isId(paymentId)],
    ['amount.minor', amount === undefined || isMinor(minor)],
    ['amount.currency', amount === undefined || isCurrency(currency)],
    ['paymentReference', paymentReference === undefined || isText(paymentReference)],
    ['description', description === undefined || isText(description)],
    ['requestedAt', isTime(requestedAt)],
  ];
}

function isId(value: unknown): value is string {
  return isText(value) && isPaymentId(value);
}

function isMinor(value: unknown): boolean {
  return isText(value) && /^\d{1,30}$/.test(value);
}

function isCurrency(value: unknown): boolean {
  return isText(value) && /^[A-Z]{3}$/.test(value);
}

function isTime(value: unknown): boolean {
  return isText(value) && !Number.isNaN(Date.parse(value));
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
