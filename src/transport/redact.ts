/** Keeps secrets and personal data out of messages that people and logs get to see. */

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, '$1 [redacted]'],
  [/\beyJ[\w-]+\.[\w-]*\.[\w-]+/g, '[signature]'],
  [/\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b/g, '[iban]'],
  [/\b(?:\d[ -]?){12,18}\d\b/g, '[number]'],
];

/** A provider's own words, safe to show: at most 200 characters, numbers and tokens masked. */
export function redactText(text: string): string {
  const masked = PATTERNS.reduce((rest, [pattern, mask]) => rest.replace(pattern, mask), text);
  return masked.length > 200 ? `${masked.slice(0, 199)}…` : masked;
}
