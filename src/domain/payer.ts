/** What providers tell of the person who pays. Personal data: never in workflows, logs or errors. */

/** Each with the most characters that are kept; no provider's own limit is shorter. */
export const PAYER_FIELDS = {
  name: 200,
  /** As told; Payconiq masks all but its end. */
  iban: 64,
  /** The payer's words to the merchant. */
  message: 1_000,
} as const satisfies Record<string, number>;

export type PayerField = keyof typeof PAYER_FIELDS;

/** What is known of a payer: named texts, each of one line. A field that is not known is absent. */
export type PayerData = { readonly [Field in PayerField]?: string };

/** As a provider's message has it. */
type ToldPayer = { readonly [Field in PayerField]?: string | undefined };

/**
 * What a message tells of a payer, fit to be kept and shown: control characters and those that
 * turn the direction of writing become spaces, too long texts are cut. Undefined where it tells
 * nothing.
 */
export function payerData(told: ToldPayer): PayerData | undefined {
  const known = Object.entries(told).flatMap(([field, text]) => {
    const kept = oneLine(text ?? '', PAYER_FIELDS[field as PayerField]);
    return kept === '' ? [] : [[field, kept] as const];
  });
  return known.length === 0 ? undefined : Object.fromEntries(known);
}

const UNFIT = /[\p{Cc}\p{Zl}\p{Zp}\p{Surrogate}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

function oneLine(text: string, maxLength: number): string {
  const fit = text.replace(UNFIT, ' ').trim();
  // By code points: half of one is no text.
  return fit.length <= maxLength ? fit : Array.from(fit).slice(0, maxLength).join('').trimEnd();
}
