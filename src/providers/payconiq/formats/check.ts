/** How a format answers: with its value, or with every rule that the input breaks. */
import type { Money } from '../../../domain/money.js';
import type { Checked, Violation } from '../../../domain/problem.js';

export type { Checked };

/** Builds only where nothing is wrong, so `build` may believe the input. */
export function checked<T>(violations: readonly Violation[], build: () => T): Checked<T> {
  return violations.length > 0 ? { violations } : { value: build() };
}

/** As `Violation`; its value may turn out to be missing. */
interface Broken {
  readonly field: string;
  readonly rule: string;
  readonly value?: string | undefined;
}

/** One violation unless the rule holds. */
export function check(holds: boolean, { field, rule, value }: Broken): readonly Violation[] {
  return holds ? [] : [{ field, rule, ...(value !== undefined && { value }) }];
}

interface TextRule {
  readonly field: string;
  readonly maxLength: number;
}

// Control characters, and halves of a character that only make sense in pairs: neither can be
// written into a URL or a bank statement.
const UNWRITABLE = /[\p{Cc}\p{Surrogate}]/u;

/**
 * Free text of 1 to `maxLength` UTF-16 units; absent is fine. It may be personal, so a violation
 * tells its length and not what it says.
 */
export function checkText(
  text: string | undefined,
  { field, maxLength }: TextRule,
): readonly Violation[] {
  if (text === undefined) return [];
  const isShort = text.length >= 1 && text.length <= maxLength;
  return [
    ...check(isShort, {
      field,
      rule: `must have 1 to ${maxLength} characters`,
      value: `${text.length} characters`,
    }),
    ...check(!UNWRITABLE.test(text), {
      field,
      rule: 'must not contain line breaks, control characters or broken characters',
    }),
  ];
}

/** Payconiq's ids of profiles: letters and digits, so that one cannot change the URL around it. */
export function checkProfileId(profileId: string): readonly Violation[] {
  return check(/^[0-9A-Za-z]{1,64}$/.test(profileId), {
    field: 'profileId',
    rule: 'must have 1 to 64 letters and digits',
    value: profileId.slice(0, 80),
  });
}

/** Whether one of the names that a table defines. */
export function checkName(
  field: string,
  name: string | undefined,
  table: Readonly<Record<string, unknown>>,
): readonly Violation[] {
  const names = Object.keys(table);
  const isKnown = name === undefined || Object.hasOwn(table, name);
  return check(isKnown, {
    field,
    rule: `must be one of ${names.join(', ')}`,
    value: name?.slice(0, 80),
  });
}

const MAX_CENTS = 999_999;

/** 1 to 999999 euro cents. @see payconiq.txt L4161-4165 */
export function checkAmount(amount: Money | undefined): readonly Violation[] {
  if (amount === undefined) return [];
  return [
    ...check(amount.currency === 'EUR', {
      field: 'amount.currency',
      rule: 'must be EUR: Payconiq supports only euros',
      value: amount.currency.slice(0, 10),
    }),
    ...check(isCents(amount.minor), {
      field: 'amount.minor',
      rule: `must be from 1 to ${MAX_CENTS} cents at Payconiq`,
      value: amount.minor.slice(0, 30),
    }),
  ];
}

/** Whether a decimal string is an amount that a Payconiq code can carry. */
export function isCents(minor: string): boolean {
  return /^[1-9]\d{0,5}$/.test(minor);
}
