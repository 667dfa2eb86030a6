const CANDIDATE = /(?:\d[ -]?){12,18}\d/g;

/** Whether free text contains what looks like a payment card number (13 to 19 digits, Luhn). */
export function containsCardNumber(text: string): boolean {
  return (text.match(CANDIDATE) ?? []).some((candidate) =>
    hasLuhnChecksum(candidate.replace(/[ -]/g, '')),
  );
}

function hasLuhnChecksum(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 0 ? 1 : 2);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}
