/** When a person has to look at a payment, and why. */
import { upsertSearchAttributes } from '@temporalio/workflow';
import { expectedObject } from '../domain/ids.js';
import type { Attention } from '../domain/payment.js';
import type { Flag } from '../domain/reducer.js';
import { SEARCH_ATTRIBUTES } from './contract.js';
import type { Step } from './plan.js';
import type { PaymentRun } from './run.js';
import type { PaymentState } from './state.js';

/** In the search attribute that operators look for; undefined takes it away. */
export function showAttention(reason: string | undefined): void {
  upsertSearchAttributes({ [SEARCH_ATTRIBUTES.attention]: reason === undefined ? [] : [reason] });
}

/** What a person has to see is part of what is recorded before the wait. */
export function raiseAttention(run: PaymentRun, step: Step): void {
  if (run.state.wasDismissed) return;
  const reason = attentionIn(run.state, step);
  if (reason) run.needAttention(reason);
}

/** One reason at a time: two that took turns would each time begin anew. */
function attentionIn(
  { view, particulars, origin }: PaymentState,
  step: Step,
): Attention['reason'] | undefined {
  const { recoveries } = particulars.terms ?? {};
  const isToDecide = step.do === 'await_decision';
  if (isToDecide && view.flags.length > 0) return attentionFor(view.flags);
  const isBeyondUs = step.do === 'await_provider' && recoveries && !recoveries.capture;
  const isSurprise = isBeyondUs || (isToDecide && origin === 'adopted');
  return isSurprise ? 'unexpected_authorization' : undefined;
}

function attentionFor(flags: readonly Flag[]): Attention['reason'] {
  return flags.every((flag) => flag === 'amount_differs') ? 'amount_differs' : 'facts_contradict';
}

/** What still needs an eye when the payment is over. */
export function attentionAtEnd(state: PaymentState): Attention['reason'] | undefined {
  const { view, wishes, isUnexpected, wasDismissed } = state;
  if (wasDismissed) return undefined;
  if (view.flags.length > 0) return attentionFor(view.flags);
  const wasDecided = wishes.capture !== undefined || wishes.void !== undefined;
  if (isUnexpected && !wasDecided) return 'unexpected_authorization';
  return view.status === 'captured' && !wasCaptureExpected(state)
    ? 'unexpected_capture'
    : undefined;
}

/** Captured by us, or by a provider that asks nobody; not of what its merchant had withdrawn. */
function wasCaptureExpected(state: PaymentState): boolean {
  const { facts, particulars, request } = state;
  const isWithdrawn = facts.some(
    ({ kind, object }) => kind === 'canceled' && object === expectedObject(request.paymentId),
  );
  if (isWithdrawn) return false;
  const isLeftToProvider = !particulars.terms?.recoveries.capture || state.origin === 'adopted';
  return isLeftToProvider || state.lastOf('capture') !== undefined;
}
