/** Identifiers, whose digits come out a card number by chance now and then. */
const UUIDS = /(?<![\dA-Za-z])[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?![\dA-Za-z])/gi;

/** Digits, alone or in groups; groups count only where no letter touches them, as in a UUID. */
const DIGITS = /\d{13,}|(?<![\dA-Za-z])\d+(?:[ -]\d+)*(?![\dA-Za-z])/g;

/**
 * Whether free text contains what looks like a payment card number: 13 to 19 digits with a Luhn
 * checksum, together or in groups separated by a space or dash. Other numbers may stand beside it.
 */
export function containsCardNumber(text: string): boolean {
  return (text.replace(UUIDS, ' ').match(DIGITS) ?? []).some((run) => {
    const groups = run.split(/[ -]/);
    return groups.some((_, first) => startsCardNumber(groups.slice(first)));
  });
}

/** Whether these groups of digits, or some of the first of them, make up a card number. */
function startsCardNumber(groups: readonly string[]): boolean {
  let digits = '';
  for (const group of groups) {
    digits += group;
    if (digits.length > 19) return false;
    if (digits.length >= 13 && hasIssuer(digits) && hasLuhnChecksum(digits)) return true;
  }
  return false;
}

/** Card numbers begin with 3 to 6, or 22 to 27 (ISO/IEC 7812); times in milliseconds do not. */
function hasIssuer(digits: string): boolean {
  return /^(?:[3-6]|2[2-7])/.test(digits);
}

function hasLuhnChecksum(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 0 ? 1 : 2);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}
