/** What Payconiq allows in a payment, checked before anything is sent. */
import type { z } from 'zod';
import type { Money } from '../../domain/money.js';
import type { PaymentRequest } from '../../domain/payment.js';
import type { Violation } from '../../domain/problem.js';
import type { RefundRequest } from '../../domain/refund.js';
import { violationsOf } from '../provider.js';
import { isPlainElsewhere, type PayconiqSettings } from './config.js';
import {
  flavourRules,
  isPrinted,
  parseOptions,
  type FlavourRules,
  type PayconiqOptions,
} from './flavours.js';
import { checkProfileId, checkText } from './formats/check.js';
import { checkUrl } from './formats/url.js';

/** Euro cents. @see payconiq.txt L925-930 */
const MAX_CENTS = 999_999n;
const MAX_LENGTH = { merchantReference: 35, description: 140, returnUrl: 2048 } as const;
/** What a printed code can carry. @see payconiq.txt L4155-4168 */
const MAX_PRINTED = 35;

/** A connection's settings, as far as they decide what it can be asked for. */
export type Allowing = Pick<PayconiqSettings, 'voidSupport' | 'product' | 'signing' | 'profileId'>;

/** @see payconiq.txt L922-960 (in store), L6560-6600 (online), L12330-12411 (sub-merchants) */
export function checkPayment(settings: Allowing, request: PaymentRequest): readonly Violation[] {
  const parsed = parseOptions(settings, request.options);
  if (!parsed.success) {
    return [...checkCommon(settings, request), ...optionViolations(parsed.error, request)];
  }
  const rules: FlavourRules = flavourRules(parsed.data.flavour);
  return [
    ...checkCommon(settings, request, forChannel(rules, parsed.data)),
    ...checkReturnUrl(request, rules),
    ...checkFlavour(settings, parsed.data),
    ...(isPrinted(rules) ? checkPrinted(settings, request, parsed.data) : []),
  ];
}

/** @see payconiq.txt L11281-11285 */
export function checkRefund(request: RefundRequest): readonly Violation[] {
  return [...checkAmount(request, true), ...checkLength('description', request.description)];
}

/** Online, a sub-merchant's money cannot be held. */
function forChannel(rules: FlavourRules, options: PayconiqOptions): FlavourRules {
  const isOnline = options.flavour === 'subMerchant' && options.paymentChannel === 'ONLINE';
  return isOnline ? { ...rules, isVoidable: false } : rules;
}

/** What holds for every flavour; where the flavour is not known, what depends on it is let pass. */
function checkCommon(
  settings: Allowing,
  request: PaymentRequest,
  rules?: FlavourRules,
): readonly Violation[] {
  const mayBeOpen = rules === undefined || isPrinted(rules);
  return [
    ...checkAmount(request, mayBeOpen),
    ...checkLengths(request),
    ...checkCaptureMode(settings, request, rules),
  ];
}

/**
 * A workflow that was started directly through Temporal passed no API, so nothing is believed here
 * of the amount's shape: `checkRequest` names what is wrong with it.
 */
function checkAmount(
  { amount }: { readonly amount?: Partial<Money> | null },
  mayBeOpen: boolean,
): readonly Violation[] {
  if (amount?.minor === undefined && !mayBeOpen) {
    const rule = 'must be given: at Payconiq only the payer of a printed code can choose it';
    return [{ field: 'amount.minor', rule }];
  }
  const violations: Violation[] = [];
  const isText = typeof amount?.currency === 'string';
  if (isText && amount.currency !== 'EUR') {
    violations.push({
      field: 'amount.currency',
      rule: 'must be EUR: Payconiq supports only euros',
      value: amount.currency?.slice(0, 10) ?? '',
    });
  }
  const { minor } = amount ?? {};
  if (typeof minor !== 'string' || !/^\d{1,30}$/.test(minor)) return violations;
  if (BigInt(minor) < 1n || BigInt(minor) > MAX_CENTS) {
    violations.push({
      field: 'amount.minor',
      rule: `must be from 1 to ${MAX_CENTS} cents at Payconiq`,
      value: minor,
    });
  }
  return violations;
}

function checkLengths(request: PaymentRequest): readonly Violation[] {
  const fields = Object.keys(MAX_LENGTH) as (keyof typeof MAX_LENGTH)[];
  return fields.flatMap((field) => checkLength(field, request[field]));
}

function checkLength(
  field: keyof typeof MAX_LENGTH,
  text: string | null | undefined,
): readonly Violation[] {
  const { length } = text ?? '';
  const rule = `must be at most ${MAX_LENGTH[field]} characters at Payconiq`;
  return length > MAX_LENGTH[field] ? [{ field, rule, value: `${length} characters` }] : [];
}

function checkCaptureMode(
  { voidSupport }: Allowing,
  { captureMode }: PaymentRequest,
  rules?: FlavourRules,
): readonly Violation[] {
  if (captureMode === 'automatic') return [];
  const field = 'captureMode';
  if (!voidSupport) {
    const rule = 'manual needs void support, which this Payconiq connection does not have';
    return [{ field, rule, value: captureMode }];
  }
  if (rules === undefined || rules.isVoidable) return [];
  const rule = 'manual exists for payments in store only, at Payconiq';
  return [{ field, rule, value: captureMode }];
}

/** @see payconiq.txt L6587 (checkout), L7990-7998 (App2App), L12398 (sub-merchants) */
function checkReturnUrl({ returnUrl }: PaymentRequest, rules: FlavourRules): readonly Violation[] {
  const field = 'returnUrl';
  if (returnUrl === undefined) {
    const rule = "must be given: the payer's app leads back there";
    return rules.returnUrl === 'required' ? [{ field, rule }] : [];
  }
  if (rules.returnUrl === 'any' || typeof returnUrl !== 'string') return [];
  if (rules.returnUrl === 'none') {
    return [{ field, rule: 'must be absent: nobody is led back from this kind of code' }];
  }
  if (returnUrl.length > MAX_LENGTH.returnUrl) return [];
  const mayBePlain = rules.returnUrl === 'https' && !isPlainElsewhere(returnUrl);
  const isFine = /^https:/i.test(returnUrl) || mayBePlain;
  return [
    ...checkUrl(field, returnUrl),
    ...(isFine ? [] : [{ field, rule: 'must be https at Payconiq' }]),
  ];
}

function checkFlavour(settings: Allowing, options: PayconiqOptions): readonly Violation[] {
  const { flavour } = options;
  const { product } = flavourRules(flavour);
  const field = 'options.flavour';
  if (product !== undefined && product !== settings.product) {
    const rule = `needs a profile for ${product} payments, which this connection's is not`;
    return [{ field, rule, value: flavour }];
  }
  if (flavour === 'subMerchant' && settings.signing === undefined) {
    const rule = "needs signed requests: a partner's connection has signing";
    return [{ field, rule, value: flavour }];
  }
  return [];
}

/** @see payconiq.txt L4127-4168, L5207-5214, L5282-5312, L9420-9430 */
function checkPrinted(
  { profileId }: Allowing,
  { description, merchantReference }: PaymentRequest,
  options: PayconiqOptions,
): readonly Violation[] {
  const field = 'options.flavour';
  const { flavour } = options;
  if (flavour === 'topUp') {
    const rule = 'is not one payment: its code is paid many times, and each scan is adopted';
    return [{ field, rule, value: flavour }];
  }
  if (checkProfileId(profileId).length > 0) {
    const rule = "needs a profileId of letters and digits, which this connection's is not";
    return [{ field, rule, value: flavour }];
  }
  if (flavour === 'invoice' && options.structuredCommunication !== undefined) {
    const rule = 'must be absent: the structured communication takes its place in the code';
    return description === undefined ? [] : [{ field: 'description', rule }];
  }
  return [
    ...checkText(description ?? undefined, { field: 'description', maxLength: MAX_PRINTED }),
    ...checkText(merchantReference, { field: 'merchantReference', maxLength: MAX_PRINTED }),
  ];
}

/** With what was given where the rule is a list of words; of other texts, only the length. */
function optionViolations(error: z.ZodError, { options }: PaymentRequest): readonly Violation[] {
  return error.issues.flatMap((issue) => {
    const given = issue.path.reduce<unknown>(
      (at, name) => (at as Record<PropertyKey, unknown> | undefined)?.[name],
      options,
    );
    const value = told(issue, given);
    return violationsOf({ issues: [issue] }, ['options']).map((violation) =>
      value === undefined ? violation : { ...violation, value },
    );
  });
}

function told({ code }: z.core.$ZodIssue, given: unknown): string | undefined {
  if (typeof given === 'number' || typeof given === 'boolean') return String(given);
  if (typeof given !== 'string') return undefined;
  const isWord = code === 'invalid_value' || code === 'invalid_union';
  return isWord ? given.slice(0, 20) : `${given.length} characters`;
}
