/** What Payconiq allows in a payment, checked before anything is sent. */
import type { Money } from '../../domain/money.js';
import type { PaymentRequest } from '../../domain/payment.js';
import type { Violation } from '../../domain/problem.js';
import type { PayconiqSettings } from './config.js';
import { violationsOf } from '../provider.js';
import { payconiqOptions } from './wire.js';

/** Euro cents. @see payconiq.txt L925-930 */
const MAX_CENTS = 999_999n;
const MAX_LENGTH = { merchantReference: 35, description: 140, returnUrl: 2048 } as const;

/** @see payconiq.txt L922-960 (in store), L6560-6600 (online) */
export function checkPayment(
  settings: Pick<PayconiqSettings, 'voidSupport'>,
  request: PaymentRequest,
): readonly Violation[] {
  return [
    ...checkAmount(request),
    ...checkLengths(request),
    ...checkCaptureMode(settings, request),
    ...checkOptions(request),
  ];
}

/**
 * A workflow that was started directly through Temporal passed no API, so nothing is believed here
 * of the amount's shape: `checkRequest` names what is wrong with it.
 */
function checkAmount({
  amount,
}: {
  readonly amount?: Partial<Money> | null;
}): readonly Violation[] {
  if (amount?.minor === undefined) {
    const rule = 'must be given: at Payconiq only the payer of a printed code can choose it';
    return [{ field: 'amount.minor', rule }];
  }
  if (typeof amount.minor !== 'string' || !/^\d{1,30}$/.test(amount.minor)) return [];
  const minor = BigInt(amount.minor);
  const violations: Violation[] = [];
  if (amount.currency !== 'EUR') {
    violations.push({
      field: 'amount.currency',
      rule: 'must be EUR: Payconiq supports only euros',
      ...(typeof amount.currency === 'string' && { value: amount.currency.slice(0, 10) }),
    });
  }
  if (minor < 1n || minor > MAX_CENTS) {
    violations.push({
      field: 'amount.minor',
      rule: `must be from 1 to ${MAX_CENTS} cents at Payconiq`,
      value: amount.minor,
    });
  }
  return violations;
}

function checkLengths(request: PaymentRequest): readonly Violation[] {
  const fields = Object.keys(MAX_LENGTH) as (keyof typeof MAX_LENGTH)[];
  return fields
    .filter((field) => (request[field] ?? '').length > MAX_LENGTH[field])
    .map((field) => ({
      field,
      rule: `must be at most ${MAX_LENGTH[field]} characters at Payconiq`,
      value: `${(request[field] ?? '').length} characters`,
    }));
}

function checkCaptureMode(
  settings: Pick<PayconiqSettings, 'voidSupport'>,
  { captureMode }: PaymentRequest,
): readonly Violation[] {
  if (captureMode === 'automatic' || settings.voidSupport) return [];
  return [
    {
      field: 'captureMode',
      rule: 'manual needs void support, which this Payconiq connection does not have',
      value: captureMode,
    },
  ];
}

function checkOptions({ options }: PaymentRequest): readonly Violation[] {
  if (options === undefined) return [];
  const parsed = payconiqOptions.safeParse(options);
  if (parsed.success) return [];
  return violationsOf(parsed.error, ['options']);
}
