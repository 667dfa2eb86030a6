import { currencyExponent } from './currencies.js';

/**
 * An amount of money: an integer count of the currency's smallest unit, as a decimal string.
 *
 * A string, because payloads of durable workflows are JSON (a bigint throws, a number rounds past
 * 2^53) and amounts of some currencies reach 10^27.
 */
export interface Money {
  /** Integer in minor units: `"1250"` of EUR is €12.50. May be negative in differences. */
  readonly minor: string;
  /** ISO 4217 code, upper case. */
  readonly currency: string;
}

/** What is asked for: an amount, or a currency alone where the payer chooses the amount. */
export interface AskedAmount {
  /** As in {@link Money}, positive; absent while the payer chooses. */
  readonly minor?: string;
  /** ISO 4217 code, upper case. */
  readonly currency: string;
}

const POSITIVE_INTEGER = /^[1-9]\d{0,29}$/;

/** Whether a text is a positive amount of minor units, of at most 30 digits. */
export function isPositiveMinor(text: string): boolean {
  return POSITIVE_INTEGER.test(text);
}

const INTEGER = /^-?(0|[1-9]\d*)$/;
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

/** Builds Money from minor units. Throws RangeError on anything that is not an integer. */
export function money(minor: bigint | number | string, currency: string): Money {
  const text = String(minor);
  if (!INTEGER.test(text) || (typeof minor === 'number' && !Number.isSafeInteger(minor))) {
    throw new RangeError(`money: ${text} is not an integer of minor units`);
  }
  return { minor: text === '-0' ? '0' : text, currency };
}

/** The amount asked for; undefined where the payer chooses it. */
export function askedMoney({ minor, currency }: AskedAmount): Money | undefined {
  return minor === undefined ? undefined : money(minor, currency);
}

/** The amount as bigint, for arithmetic. */
export function minorOf(amount: Money): bigint {
  return BigInt(amount.minor);
}

/** a + b. Throws RangeError when the currencies differ. */
export function addMoney(a: Money, b: Money): Money {
  return money(minorOf(a) + minorOf(sameCurrency(a, b)), a.currency);
}

/** a − b. Throws RangeError when the currencies differ. */
export function subtractMoney(a: Money, b: Money): Money {
  return money(minorOf(a) - minorOf(sameCurrency(a, b)), a.currency);
}

/** Negative, zero or positive as a is less than, equal to or more than b. */
export function compareMoney(a: Money, b: Money): number {
  const difference = minorOf(a) - minorOf(sameCurrency(a, b));
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Whether both are the same amount of the same currency. */
export function isSameMoney(a: Money, b: Money): boolean {
  return a.minor === b.minor && a.currency === b.currency;
}

export function isPositive(amount: Money): boolean {
  return minorOf(amount) > 0n;
}

/**
 * Reads a decimal in major units (`"12.50"`) exactly. `exponent` defaults to ISO 4217's; a provider
 * that counts otherwise passes its own. Throws RangeError when digits would be lost.
 */
export function parseMoney(decimal: string, currency: string, exponent?: number): Money {
  const places = exponent ?? exponentOf(currency);
  const match = DECIMAL.exec(decimal);
  if (!match) throw new RangeError(`money: "${decimal}" is not a decimal number`);
  const [, sign = '', whole = '', fraction = ''] = match;
  const kept = fraction.slice(0, places).padEnd(places, '0');
  if (/[1-9]/.test(fraction.slice(places))) {
    throw new RangeError(`money: "${decimal}" has more than ${places} decimals of ${currency}`);
  }
  return money(BigInt(`${sign}${whole}${kept}`), currency);
}

/** Writes the amount in major units with all its decimals: `{minor:"1250",EUR}` → `"12.50"`. */
export function formatDecimal(amount: Money, exponent?: number): string {
  const places = exponent ?? exponentOf(amount.currency);
  const negative = amount.minor.startsWith('-');
  const digits = amount.minor.replace('-', '').padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  const fraction = digits.slice(digits.length - places);
  return `${negative ? '-' : ''}${whole}${places > 0 ? `.${fraction}` : ''}`;
}

/** For people: `"EUR 12.50"`. */
export function formatMoney(amount: Money): string {
  return currencyExponent(amount.currency) === undefined
    ? `${amount.currency} ${amount.minor} minor units`
    : `${amount.currency} ${formatDecimal(amount)}`;
}

function exponentOf(currency: string): number {
  const exponent = currencyExponent(currency);
  if (exponent === undefined) throw new RangeError(`money: "${currency}" is no ISO 4217 currency`);
  return exponent;
}

function sameCurrency(a: Money, b: Money): Money {
  if (a.currency !== b.currency) {
    throw new RangeError(`money: cannot combine ${a.currency} with ${b.currency}`);
  }
  return b;
}
