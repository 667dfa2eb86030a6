/**
 * The Belgian structured communication (OGM), which an invoice carries in its Payconiq code and the
 * bank statement carries back. Ten digits, then their remainder of 97 as two check digits, 97 in
 * the place of 0.
 * @see payconiq.txt L5312, L5389-5401, L6353
 */
import { check, checked, type Checked } from './check.js';

declare const ogmBrand: unique symbol;

/** Twelve digits whose last two are right. */
export type Ogm = string & { readonly [ogmBrand]: true };

const BASE = /^\d{1,10}$/;
const PRINTED = /^(?:\+{3}|\*{3})(\d{3})\/(\d{4})\/(\d{5})(?:\+{3}|\*{3})$/;

/** From a number of at most ten digits; a shorter one gets zeros in front. */
export function buildOgm(number: string): Checked<Ogm> {
  return checked(
    check(BASE.test(number), {
      field: 'number',
      rule: 'must have 1 to 10 digits',
      value: number.slice(0, 30),
    }),
    () => {
      const base = number.padStart(10, '0');
      return `${base}${checkDigits(base)}` as Ogm;
    },
  );
}

/**
 * Reads `+++123/4567/89002+++` (or with asterisks) or the twelve digits alone. Undefined for
 * anything else, wrong check digits included.
 */
export function parseOgm(text: string): Ogm | undefined {
  const digits = PRINTED.exec(text)?.slice(1).join('') ?? text;
  return isOgm(digits) ? digits : undefined;
}

/** As people know it from invoices: `+++123/4567/89002+++`. */
export function formatOgm(ogm: Ogm): string {
  return `+++${ogm.slice(0, 3)}/${ogm.slice(3, 7)}/${ogm.slice(7)}+++`;
}

function isOgm(digits: string): digits is Ogm {
  return /^\d{12}$/.test(digits) && digits.slice(10) === checkDigits(digits.slice(0, 10));
}

function checkDigits(base: string): string {
  return String(Number(base) % 97 || 97).padStart(2, '0');
}
