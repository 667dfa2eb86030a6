/** What a payment does next: one pure decision over its state. The run only carries it out. */
import type { CaptureMode, DeadlinePolicy } from '../domain/payment.js';
import type { Money } from '../domain/money.js';
import type { Flag, PaymentView } from '../domain/reducer.js';
import type { Terms } from '../domain/terms.js';
import type { Wishes } from './contract.js';

export type Step =
  /** Ask the provider to create the payment. */
  | { readonly do: 'create' }
  /** The provider's terms are not known: its answer was lost, or held money changed them. */
  | { readonly do: 'learn_terms' }
  /** Wait for the payer, a notification, or a command. */
  | { readonly do: 'await_payer' }
  | { readonly do: 'cancel' }
  | { readonly do: 'capture'; readonly amount: Money }
  | { readonly do: 'void' }
  /** Money is held and nobody said what to do with it: wait until our deadline. */
  | { readonly do: 'await_decision'; readonly untilMs: number | undefined }
  /** Our deadline has passed: ask for the truth before voiding. */
  | { readonly do: 'ask_before_void' }
  /** Out of our hands: ask until the provider says how it ended. */
  | { readonly do: 'await_provider' }
  | { readonly do: 'end' };

export interface Situation {
  readonly view: PaymentView;
  readonly captureMode: CaptureMode;
  /** `asked`: the provider makes it for us. `expected`: a payer begins it. `adopted`: one did. */
  readonly origin: 'asked' | 'expected' | 'adopted';
  /** What becomes of held money at our deadline. */
  readonly deadlinePolicy: DeadlinePolicy;
  /** The provider was asked for its terms since money is held. */
  readonly knowsHoldTerms: boolean;
  readonly wishes: Wishes;
  readonly terms: Terms | undefined;
  /** Operations that the provider refused for good. */
  readonly refused: ReadonlySet<'capture' | 'void' | 'cancel'>;
  /** Our own limit for a decision; see `captureBeforeMs`. */
  readonly captureBeforeMs: number | undefined;
  readonly hasAskedAtDeadline: boolean;
  readonly nowMs: number;
}

/** Flags that a person has to look at before money is taken without being asked. */
const BLOCKING: readonly Flag[] = [
  'amount_differs',
  'contradiction',
  'amount_conflict',
  'currency_differs',
  'paid_twice',
  'over_refunded',
];

export function blocksAutomaticCapture(flags: readonly Flag[]): boolean {
  return flags.some((flag) => BLOCKING.includes(flag));
}

export function planNext(situation: Situation): Step {
  const { view, terms } = situation;
  const isOpen = ['requires_action', 'processing', 'authorized'].includes(view.status);
  if (isOpen && !terms) return { do: 'learn_terms' };
  if (view.status === 'authorized' && lacksHoldTerms(situation)) return { do: 'learn_terms' };
  switch (view.status) {
    case 'created':
      return { do: situation.origin === 'adopted' ? 'learn_terms' : 'create' };
    case 'requires_action':
    case 'processing':
      return planOpen(situation);
    case 'authorized':
      return planAuthorized(situation);
    case 'captured':
    case 'voided':
    case 'expired':
    case 'canceled':
    case 'declined':
    case 'rejected':
    case 'not_started':
    case 'verified':
      return { do: 'end' };
  }
}

/** The connection offers it, and the provider has not refused it for good. */
function can({ terms, refused }: Situation, operation: 'capture' | 'void' | 'cancel'): boolean {
  return terms?.recoveries[operation] !== undefined && !refused.has(operation);
}

function planOpen(situation: Situation): Step {
  return situation.wishes.cancel && can(situation, 'cancel')
    ? { do: 'cancel' }
    : { do: 'await_payer' };
}

/**
 * What was agreed before there was an object, or for a connection that holds nothing as a rule,
 * does not say until when this money is held, and what can be done with it.
 */
function lacksHoldTerms({ origin, terms, knowsHoldTerms }: Situation): boolean {
  if (knowsHoldTerms || !terms) return false;
  const { capture, void: release } = terms.recoveries;
  const isUndecidable = capture === undefined && release === undefined;
  return origin === 'adopted' || (!terms.captureDeadline && (origin !== 'asked' || isUndecidable));
}

/** A payment that was to be cancelled and got authorized meanwhile is voided: it is not wanted. */
function planAuthorized(situation: Situation): Step {
  const { wishes, terms, nowMs, view } = situation;
  if (hasPassed(terms?.captureDeadline, nowMs)) return { do: 'await_provider' };
  const canVoid = can(situation, 'void');
  const canCapture = can(situation, 'capture');
  if (!canVoid && !canCapture) return { do: 'await_provider' };
  if (wishes.void ?? wishes.cancel) return canVoid ? { do: 'void' } : { do: 'await_provider' };
  if (wishes.capture && canCapture) return { do: 'capture', amount: wishes.capture.amount };
  if (isCapturedUnasked(situation) && canCapture) {
    return { do: 'capture', amount: view.amounts.authorized };
  }
  return planUndecided(situation);
}

function isCapturedUnasked({ captureMode, view }: Situation): boolean {
  return captureMode === 'automatic' && !blocksAutomaticCapture(view.flags);
}

function planUndecided(situation: Situation): Step {
  const { captureBeforeMs, nowMs, hasAskedAtDeadline, view } = situation;
  const isDue = captureBeforeMs !== undefined && nowMs >= captureBeforeMs;
  if (!isDue) return { do: 'await_decision', untilMs: captureBeforeMs };
  if (!hasAskedAtDeadline) return { do: 'ask_before_void' };
  const isToCapture = situation.deadlinePolicy === 'capture' && !blocksAutomaticCapture(view.flags);
  if (isToCapture && can(situation, 'capture'))
    return { do: 'capture', amount: view.amounts.authorized };
  return can(situation, 'void') ? { do: 'void' } : { do: 'await_provider' };
}

/**
 * Until when an authorization waits for a decision: the earlier of what was asked for and the
 * provider's own limit less our margin, in epoch milliseconds.
 */
export function captureBeforeMs(from: {
  readonly asked: string | undefined;
  readonly providerLimit: string | undefined;
  readonly marginMs: number;
}): number | undefined {
  const limits = [
    ...(from.asked === undefined ? [] : [Date.parse(from.asked)]),
    ...(from.providerLimit === undefined ? [] : [Date.parse(from.providerLimit) - from.marginMs]),
  ];
  return limits.length === 0 ? undefined : Math.min(...limits);
}

function hasPassed(limit: string | undefined, nowMs: number): boolean {
  return limit !== undefined && nowMs >= Date.parse(limit);
}
