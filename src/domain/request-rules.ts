/** What every request for a payment or a refund must satisfy, whatever the provider. */
import { currencyExponent } from './currencies.js';
import { isPaymentId } from './ids.js';
import { containsCardNumber } from './luhn.js';
import { isPositiveMinor, type AskedAmount } from './money.js';
import type { PaymentRequest } from './payment.js';
import { CAPTURE_MODES, DEADLINE_POLICIES } from './payment.js';
import type { Violation } from './problem.js';
import type { RefundRequest } from './refund.js';

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/;
const TIME_RULE = 'must be an ISO 8601 time that ends with Z or an offset';
const MAX_REFERENCE = 256;
const MAX_DESCRIPTION = 512;

/**
 * Checks a request without knowing its provider. Empty if fine. Types are checked too: a workflow
 * that was started directly through Temporal passed no API.
 */
export function checkRequest(request: PaymentRequest): readonly Violation[] {
  return [
    ...checkId('paymentId', request.paymentId),
    ...check(isText(request.connectionId) && request.connectionId !== '', {
      field: 'connectionId',
      rule: 'must name a configured connection',
    }),
    ...checkAmount(request.amount),
    ...check(CAPTURE_MODES.includes(request.captureMode), {
      field: 'captureMode',
      rule: `must be one of ${CAPTURE_MODES.join(', ')}`,
    }),
    ...checkText('merchantReference', request.merchantReference, MAX_REFERENCE),
    ...(request.description === undefined
      ? []
      : checkText('description', request.description, MAX_DESCRIPTION)),
    ...checkReturnUrl(request.returnUrl),
    ...checkCaptureBefore(request),
    ...checkAtDeadline(request),
    ...check(request.origin === undefined, {
      field: 'origin',
      rule: 'must be absent: only Holdfast itself adopts payments',
    }),
    ...check(isTime(request.requestedAt), {
      field: 'requestedAt',
      rule: TIME_RULE,
    }),
  ];
}

/** The same of a refund. */
export function checkRefundRequest(request: RefundRequest): readonly Violation[] {
  const { refundId, paymentId, amount, paymentReference, description, requestedAt } = request;
  return [
    ...checkId('refundId', refundId),
    ...checkId('paymentId', paymentId),
    ...(amount === undefined ? [] : checkMoney(amount)),
    ...(paymentReference === undefined
      ? []
      : checkText('paymentReference', paymentReference, MAX_REFERENCE)),
    ...(description === undefined ? [] : checkText('description', description, MAX_DESCRIPTION)),
    ...check(isTime(requestedAt), { field: 'requestedAt', rule: TIME_RULE }),
  ];
}

function checkId(field: string, id: unknown): readonly Violation[] {
  const rule = 'must be 1 to 64 letters, digits, _ or -, beginning with a letter or digit';
  return check(isText(id) && isPaymentId(id), { field, rule });
}

/** Where the payer chooses, the currency alone. */
function checkAmount(amount: Partial<AskedAmount> | undefined): readonly Violation[] {
  const { minor, currency } = amount ?? {};
  return minor === undefined && isCurrency(currency) ? [] : checkMoney({ minor, currency });
}

function checkMoney({
  minor,
  currency,
}: {
  minor?: unknown;
  currency?: unknown;
}): readonly Violation[] {
  return [
    ...check(isText(minor) && isPositiveMinor(minor), {
      field: 'amount.minor',
      rule: 'must be a positive integer of minor units, written as a string',
    }),
    ...check(isCurrency(currency), {
      field: 'amount.currency',
      rule: 'must be an ISO 4217 currency code in upper case',
    }),
  ];
}

function checkText(field: string, text: unknown, maxLength: number): readonly Violation[] {
  if (!isText(text) || text === '' || text.length > maxLength) {
    return [{ field, rule: `must have 1 to ${maxLength} characters` }];
  }
  if (containsCardNumber(text)) {
    return [{ field, rule: 'must not contain a card number' }];
  }
  return [];
}

function checkReturnUrl(returnUrl: unknown): readonly Violation[] {
  if (returnUrl === undefined) return [];
  const isFine = isText(returnUrl) && /^https?:\/\/[^\s/?#]+\S*$/.test(returnUrl);
  return check(isFine, { field: 'returnUrl', rule: 'must be an http or https URL' });
}

function checkCaptureBefore(request: PaymentRequest): readonly Violation[] {
  const { captureBefore, captureMode } = request;
  if (captureBefore === undefined) return [];
  return [
    ...check(isTime(captureBefore), { field: 'captureBefore', rule: TIME_RULE }),
    ...check(captureMode === 'manual', {
      field: 'captureBefore',
      rule: 'goes with captureMode manual only',
    }),
    ...check(
      !isTime(captureBefore) || !(Date.parse(captureBefore) <= Date.parse(request.requestedAt)),
      {
        field: 'captureBefore',
        rule: 'must be in the future',
      },
    ),
  ];
}

function checkAtDeadline({ atDeadline, captureMode }: PaymentRequest): readonly Violation[] {
  if (atDeadline === undefined) return [];
  return [
    ...check(DEADLINE_POLICIES.includes(atDeadline), {
      field: 'atDeadline',
      rule: `must be one of ${DEADLINE_POLICIES.join(', ')}`,
    }),
    ...check(captureMode === 'manual', {
      field: 'atDeadline',
      rule: 'goes with captureMode manual only',
    }),
  ];
}

function check(isFine: boolean, violation: Violation): readonly Violation[] {
  return isFine ? [] : [violation];
}

function isCurrency(value: unknown): boolean {
  return isText(value) && currencyExponent(value) !== undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** Without an offset, each worker would read it by its own time zone. */
function isTime(value: unknown): boolean {
  return isText(value) && TIME.test(value) && !Number.isNaN(Date.parse(value));
}
