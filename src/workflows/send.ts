/**
 * The only way a workflow moves money: intent → one send → resolve by evidence → facts.
 * Nothing here guesses; an operation leaves this module settled, superseded by proof, or overtaken
 * by facts that came another way.
 */
import { ActivityFailure, TimeoutFailure, condition, isCancellation } from '@temporalio/workflow';
import { TimeoutType } from '@temporalio/common';
import type { OperationName } from '../domain/ids.js';
import type { Money } from '../domain/money.js';
import type { OperationRecord } from '../domain/payment.js';
import { isDefinitive, type Outcome } from '../domain/outcome.js';
import type { Recovery } from '../domain/terms.js';
import type { OpenedValue, Resolution, SendInput } from './contract.js';
import type { PaymentRun } from './run.js';

type AnyOutcome = Outcome<OpenedValue | null>;

const ACTIVITY_OF = {
  create: 'createPayment',
  capture: 'capturePayment',
  void: 'voidPayment',
  cancel: 'cancelPayment',
} as const satisfies Record<OperationName, string>;

export interface Order {
  readonly operation: OperationName;
  /** Absent where the payer chooses it, and has not. */
  readonly amount?: Money;
  /** Whether it is still to be done; asked again whenever facts arrive. */
  readonly isWanted: () => boolean;
  /** ISO 8601: no new attempt after it. */
  readonly until?: string;
}

/**
 * Carries one operation to its end. Returns the definitive outcome, or undefined when it was
 * overtaken (no longer wanted) or its time is over.
 */
export async function performOperation(
  run: PaymentRun,
  order: Order,
): Promise<AnyOutcome | undefined> {
  const { state } = run;
  let settlement = await takeUp(run, order);
  for (let attempt = 0; ; attempt += 1) {
    if (settlement.kind === 'settled') break;
    if (settlement.kind === 'over') {
      state.settleByFacts(order.operation);
      break;
    }
    settlement = await attemptOnce(run, { order, attempt, next: settlement.kind });
  }
  if (state.attention?.reason === 'outcome_unknown') run.clearAttention();
  return settlement.kind === 'settled' ? settlement.outcome : undefined;
}

/** An attempt whose outcome is unknown is settled before there is another, whoever left it so. */
async function takeUp(run: PaymentRun, order: Order): Promise<Settlement> {
  const last = run.state.unsettledOf(order.operation);
  if (!last) return { kind: 'resend' };
  // The same key again is how a repeatable operation is settled.
  if (recoveryOf(run, order.operation) === 'repeat') return { kind: 'again' };
  const outcome: AnyOutcome = {
    kind: 'unknown',
    problem: { code: 'no_answer', message: 'an earlier run left it so' },
  };
  const input = sendInput(run, { order, intent: last, isResolved: true });
  return resolve(run, { order, input, intent: last, outcome, attempt: 0 });
}

async function attemptOnce(
  run: PaymentRun,
  {
    order,
    attempt,
    next,
  }: { readonly order: Order; readonly attempt: number; readonly next: 'again' | 'resend' },
): Promise<Settlement> {
  const { state } = run;
  const last = state.lastOf(order.operation);
  const sequence = next === 'again' && last ? last.sequence : (last?.sequence ?? 0) + 1;
  const intent = state.intend(order.operation, sequence, order.amount);
  const input = sendInput(run, { order, intent, isResolved: last !== undefined });
  // Awaited even when facts overtake it: its answer tells more than they do, and it is short.
  const outcome = await sendOnce(run, input);
  noteOutcome(run, intent, outcome);
  if (isDefinitive(order.operation, outcome)) return { kind: 'settled', outcome };

  // Settling it may take days; the record tells meanwhile how it stands.
  await run.recordNow();
  return settle(run, { order, input, intent, outcome, attempt });
}

type Settlement =
  | { readonly kind: 'settled'; readonly outcome: AnyOutcome }
  /** The same key goes out again: proven not sent. */
  | { readonly kind: 'again' }
  /** A new sequence goes out: the one before is proven to have done nothing. */
  | { readonly kind: 'resend' }
  | { readonly kind: 'over' };

interface Unsettled {
  readonly order: Order;
  readonly input: SendInput;
  readonly intent: OperationRecord;
  readonly outcome: AnyOutcome;
  readonly attempt: number;
}

async function settle(run: PaymentRun, unsettled: Unsettled): Promise<Settlement> {
  const { order, outcome } = unsettled;
  if (recoveryOf(run, order.operation) === 'repeat') {
    return repeat(run, unsettled);
  }
  return outcome.kind === 'not_sent' ? backOff(run, unsettled) : resolve(run, unsettled);
}

/** Nothing was sent: a pause, then the same key again. Costs events, so the pauses grow. */
async function backOff(
  run: PaymentRun,
  { order, outcome, attempt }: Unsettled,
): Promise<Settlement> {
  const { resendFirstMs, resendMaxMs } = run.timing;
  const wish = outcome.kind === 'not_sent' ? outcome.retryAfterMs : undefined;
  const pauseMs = Math.min(Math.max(resendFirstMs * 2 ** attempt, wish ?? 0), resendMaxMs);
  if (order.until !== undefined && Date.now() + pauseMs > Date.parse(order.until)) {
    return { kind: 'over' };
  }
  const isOvertaken = await condition(() => !order.isWanted(), pauseMs);
  return { kind: isOvertaken ? 'over' : 'again' };
}

/** The provider deduplicates: one activity sends the same until the answer is definitive. */
async function repeat(run: PaymentRun, { order, input, intent }: Unsettled): Promise<Settlement> {
  const sendUntilDefinitive: (again: SendInput) => Promise<AnyOutcome> =
    run.proxies.sendUntilDefinitive[ACTIVITY_OF[order.operation]];
  const repeated = { ...input, isResolved: true, repeatUntil: order.until ?? 'never' };
  const outcome = await run.withAttention('outcome_unknown', () =>
    run.whileWanted<AnyOutcome>(order.isWanted, () => sendUntilDefinitive(repeated)),
  );
  if (outcome === undefined) return { kind: 'over' };
  noteOutcome(run, intent, outcome);
  return isDefinitive(order.operation, outcome) ? { kind: 'settled', outcome } : { kind: 'over' };
}

/** Bytes may have left: nothing more is sent until evidence says what became of it. */
async function resolve(run: PaymentRun, unsettled: Unsettled): Promise<Settlement> {
  const { order, input, intent } = unsettled;
  const mustBeProof = isOver(order);
  const asked = { sent: input, intendedAt: intent.intendedAt, mustBeProof };
  const resolution = await run.withAttention('outcome_unknown', () =>
    run.whileWanted(order.isWanted, () => run.proxies.resolve.resolveOperation(asked)),
  );
  if (resolution === undefined) return { kind: 'over' };
  return concludeResolution(run, unsettled, { resolution, mustBeProof });
}

async function concludeResolution(
  run: PaymentRun,
  unsettled: Unsettled,
  found: { readonly resolution: Resolution; readonly mustBeProof: boolean },
): Promise<Settlement> {
  const { order, intent } = unsettled;
  const { resolution, mustBeProof } = found;
  switch (resolution.kind) {
    case 'settled':
      noteOutcome(run, intent, resolution.outcome);
      return { kind: 'settled', outcome: resolution.outcome };
    case 'resend':
      // Time ran out meanwhile: "nobody can pay it" allowed another attempt, but proves no end.
      if (isOver(order) && !mustBeProof) return resolve(run, unsettled);
      run.state.supersede(intent);
      return isOver(order) ? { kind: 'over' } : { kind: 'resend' };
    case 'wait':
      await run.withAttention('outcome_unknown', () => condition(() => !order.isWanted()));
      return { kind: 'over' };
  }
}

/** One attempt. Whatever the activity fails with, it is unknown, save the one proof of not_sent. */
async function sendOnce(run: PaymentRun, input: SendInput): Promise<AnyOutcome> {
  try {
    return await run.proxies.sendOnce[ACTIVITY_OF[input.operation]](input);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return neverStarted(error)
      ? {
          kind: 'not_sent',
          cause: 'too_late',
          problem: { code: 'too_late', message: 'no worker took the call in time' },
        }
      : {
          kind: 'unknown',
          problem: { code: 'no_answer', message: 'the worker making the call gave no answer' },
        };
  }
}

function neverStarted(error: unknown): boolean {
  return (
    error instanceof ActivityFailure &&
    error.cause instanceof TimeoutFailure &&
    error.cause.timeoutType === TimeoutType.SCHEDULE_TO_START
  );
}

function noteOutcome(run: PaymentRun, intent: OperationRecord, outcome: AnyOutcome): void {
  if (outcome.kind === 'succeeded' && outcome.value) run.state.learnOpened(outcome.value);
  run.state.note(intent, outcome);
  run.attempted(intent.operation);
}

function isOver({ until }: Order): boolean {
  return until !== undefined && Date.now() >= Date.parse(until);
}

function recoveryOf({ state }: PaymentRun, operation: OperationName): Recovery | undefined {
  return state.particulars.terms?.recoveries[operation];
}

function sendInput(
  run: PaymentRun,
  {
    order,
    intent,
    isResolved,
  }: {
    readonly order: Order;
    readonly intent: OperationRecord;
    readonly isResolved: boolean;
  },
): SendInput {
  const { state, timing } = run;
  const { tip, providerReference, request } = state;
  return {
    paymentId: request.paymentId,
    operation: order.operation,
    sequence: intent.sequence,
    key: intent.key,
    request,
    ...(order.amount && { amount: order.amount }),
    ...(tip && { tip }),
    ...(order.operation !== 'create' && providerReference && { providerReference }),
    writeWithinMs: timing.sendQueueLimitMs + timing.activityMarginMs,
    firstRunId: run.runId,
    isResolved,
  };
}
