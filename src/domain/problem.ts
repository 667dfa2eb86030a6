/**
 * Our own codes for what can be wrong with a payment. One table, so that a code means the same in
 * the API, the client, the workflow's failures and the store.
 */
export const PROBLEM_CODES = {
  invalid_request: 'The request breaks a rule; the violations name each field.',
  unsupported: 'This connection cannot do what was asked.',
  not_found: 'There is nothing of this id.',
  conflict: 'The payment is in a state in which this cannot be done.',
  operation_in_flight: 'Another operation on this payment is under way or its outcome is unknown.',
  unauthorized: 'The provider refused our credentials.',
  provider_refused: 'The provider refused the request before processing it.',
  throttled: 'The provider asked us to slow down; nothing was processed.',
  unreachable: 'The provider could not be reached; nothing was sent.',
  too_late: 'The moment to send had passed, so nothing was sent.',
  not_started_in_time: 'No worker began the payment in time; nothing was sent.',
  declined_by_payer: 'The payer or somebody on their behalf said no.',
  declined_by_issuer: "The payer's bank said no: funds, limits or its own checks.",
  declined_by_provider: 'The provider refused the payment as set up.',
  already_voided: 'The payment was voided before.',
  not_pending: 'The payment is no longer in a state that allows this.',
  no_answer: 'The request may have been processed, but no usable answer came.',
  unverified_answer:
    'An answer came whose signature could not be verified, so it was not believed.',
  unexpected_answer: 'The provider answered something its document does not describe.',
  not_available_yet: 'The provider does not have this yet; it may later.',
  not_allowed: 'The provider does not allow this for this payment.',
  not_possible: 'The provider cannot do this at the moment; asked anew later, it may.',
  amount_unavailable: 'More was asked to go back than is left of what was captured.',
  withdrawn: 'It was withdrawn before anything was sent.',
  ambiguous_refusal:
    'The provider refused a repeat in words that also fit that it did the first one.',
  key_conflict: 'The provider has our idempotency key with other contents.',
  window_closed: "The provider's time limit for this operation has passed.",
  store_unavailable: 'The database cannot be reached.',
  orchestrator_unavailable: 'Temporal cannot be reached.',
  internal: 'Holdfast itself failed.',
} as const;

export type ProblemCode = keyof typeof PROBLEM_CODES;

/** One broken rule of a request. `value` is absent where it would be a secret or personal data. */
export interface Violation {
  /** JSON path of the field, e.g. `amount.minor`. */
  readonly field: string;
  /** The rule in words, e.g. `must be at most 35 characters`. */
  readonly rule: string;
  readonly value?: string;
}

/** All that is wrong, in one line. */
export function violationWords(violations: readonly Violation[]): string {
  return violations.map(({ field, rule }) => `${field} ${rule}`).join('; ');
}

/** What a request that breaks rules is refused with. */
export function invalidRequest(violations: readonly Violation[]): Problem {
  return { code: 'invalid_request', message: violationWords(violations), violations };
}

/** What was made of an input, or every rule that the input breaks. */
export type Checked<T> =
  | { readonly value: T }
  /** At least one, each with the name of the input's field. */
  | { readonly violations: readonly Violation[] };

/** What went wrong, for people and programs alike. Carries no secret and no personal data. */
export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
  /** The provider's own code, as sent. */
  readonly providerCode?: string;
  readonly violations?: readonly Violation[];
}
