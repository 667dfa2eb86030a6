import type { Fact } from './facts.js';
import type { Problem } from './problem.js';

/**
 * How a call that can move money ended. There is no sixth way, and none of the five is a guess.
 *
 * - `succeeded`: the provider said it is done.
 * - `pending`: the provider took it; the answer comes later.
 * - `declined`: the provider or the payer said no. Final, never repeated.
 * - `not_sent`: proof that the provider did not process it. May go out again with the same key,
 *   unless `cause` is `rejected`: then a repeat of the same request is refused the same way.
 * - `unknown`: bytes may have left and no usable answer came. Only evidence resolves it.
 */
export type Outcome<Value = null> =
  | { readonly kind: 'succeeded'; readonly value: Value; readonly facts: readonly Fact[] }
  | { readonly kind: 'pending'; readonly value: Value; readonly facts: readonly Fact[] }
  | { readonly kind: 'declined'; readonly problem: Problem; readonly facts: readonly Fact[] }
  | NotSent
  | Unknown;

export interface NotSent {
  readonly kind: 'not_sent';
  readonly cause: NotSentCause;
  readonly problem: Problem;
  /** The provider's wish: from Retry-After, or from its document. */
  readonly retryAfterMs?: number;
}

export interface Unknown {
  readonly kind: 'unknown';
  readonly problem: Problem;
}

/** Why it is certain that nothing was processed. */
export type NotSentCause =
  /** Name resolution, connection or TLS failed before a byte of the request was written. */
  | 'unreachable'
  /** The provider answered 429. */
  | 'throttled'
  /** The provider refused for now, in words that say that it will be able to later. */
  | 'not_yet'
  /** Our own refusal: the time limit for sending had passed. */
  | 'too_late'
  /** A documented refusal before processing: the request itself, or our credentials, are wrong. */
  | 'rejected';

/**
 * Whether nothing more is to be done about an operation. A refusal of our credentials ends a
 * creation (its payer is waiting), but not a command: money is held, and an operator can mend it.
 */
export function isDefinitive(operation: string, outcome: Outcome<unknown>): boolean {
  if (outcome.kind === 'unknown') return false;
  if (outcome.kind !== 'not_sent') return true;
  const isMendable = operation !== 'create' && outcome.problem.code === 'unauthorized';
  return outcome.cause === 'rejected' && !isMendable;
}
