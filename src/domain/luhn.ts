const DIGITS = /\d(?:[ -]?\d)*/g;

/**
 * Whether free text contains what looks like a payment card number: 13 to 19 digits with a Luhn
 * checksum, together or in groups separated by a space or dash. Other numbers may stand beside it.
 */
export function containsCardNumber(text: string): boolean {
  return (text.match(DIGITS) ?? []).some((run) => {
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
    if (digits.length >= 13 && hasLuhnChecksum(digits)) return true;
  }
  return false;
}

function hasLuhnChecksum(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 0 ? 1 : 2);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}
