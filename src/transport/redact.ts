/** Keeps secrets and personal data out of messages that people and logs get to see. */

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, '$1 [redacted]'],
  [/\beyJ[\w-]+\.[\w-]*\.[\w-]+/g, '[signature]'],
  [/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, '[e-mail]'],
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '[uuid]'],
  [/\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?\b/g, '[iban]'],
  [/\b(?:\d[ -]?){12,18}\d\b/g, '[number]'],
  [/[\w~+/=-]{32,}/g, '[token]'],
];

/** A provider's own words, safe to show: at most 200 characters, with tokens (UUIDs are
 * API keys at some providers), account and card numbers and e-mail addresses masked. */
export function redactText(text: string): string {
  const masked = PATTERNS.reduce((rest, [pattern, mask]) => rest.replace(pattern, mask), text);
  return masked.length > 200 ? `${masked.slice(0, 199)}…` : masked;
}
