import { ApplicationFailure } from '@temporalio/workflow';
import { isPaymentId, paymentWorkflowId, type PaymentId } from '../domain/ids.js';
import { CAPTURE_MODES, type PaymentRequest } from '../domain/payment.js';
import { UPDATE_REFUSALS } from './contract.js';

type Field = [name: string, isFine: boolean];

/**
 * Refuses what no payment can be made of, not even a rejected one: fields that are missing or of
 * another type, from a caller that went past our client. This is about shape alone and never
 * changes; the rules, which may change under running payments, are checked by the first activity.
 *
 * @throws ApplicationFailure `invalid_request`, its details naming each field
 */
export function refuseMalformed(request: PaymentRequest | undefined, workflowId: string): void {
  const violations = fieldsOf(request ?? {}, workflowId)
    .filter(([, isFine]) => !isFine)
    .map(([field]) => ({ field, rule: 'is missing or malformed' }));
  if (violations.length === 0) return;
  throw ApplicationFailure.create({
    message: violations.map(({ field, rule }) => `${field} ${rule}`).join('; '),
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
    ['paymentId', isText(paymentId) && isPaymentId(paymentId) && isCarrier(workflowId, paymentId)],
    ['connectionId', isText(connectionId)],
    ['amount.minor', minor === undefined || (isText(minor) && /^\d{1,30}$/.test(minor))],
    ['amount.currency', isText(currency) && /^[A-Z]{3}$/.test(currency)],
    ['captureMode', CAPTURE_MODES.some((mode) => mode === captureMode)],
    ['merchantReference', isText(merchantReference)],
    ['requestedAt', isText(requestedAt) && !Number.isNaN(Date.parse(requestedAt))],
  ];
}

function isCarrier(workflowId: string, paymentId: PaymentId): boolean {
  return workflowId === paymentWorkflowId(paymentId);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
