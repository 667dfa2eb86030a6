/**
 * The only way a workflow moves money: intent → one send → resolve by evidence → facts.
 * Nothing here guesses; an operation leaves this module settled, superseded by proof, or overtaken
 * by facts that came another way.
 */
import { ActivityFailure, TimeoutFailure, condition, isCancellation } from '@temporalio/workflow';
import { TimeoutType } from '@temporalio/common';
import type { OperationRecord } from '../domain/payment.js';
import { isDefinitive, type NotSent, type Outcome } from '../domain/outcome.js';
import type { Recovery } from '../domain/terms.js';
import type { Timing } from '../domain/timing.js';
import type { Resolution, Sent } from './contract.js';
import { whileWanted } from './waiting.js';

/** One operation of a payment or a refund, with what the sending needs of whoever it belongs to. */
export interface Sending<Name extends string, Input extends Sent, Value> {
  readonly name: Name;
  readonly timing: Timing;
  /** Whether it is still to be done; asked again whenever facts arrive. */
  readonly isWanted: () => boolean;
  /** ISO 8601: no new attempt after it. */
  readonly until?: string;
  /** How a lost answer is settled, as far as the provider's terms are known. */
  recovery(): Recovery | undefined;
  /** The last attempt. */
  last(): OperationRecord<Name> | undefined;
  /** Writes the intent down: the operation and its key, before anything is sent. */
  intend(sequence: number): OperationRecord<Name>;
  input(intent: OperationRecord<Name>, isResolved: boolean): Input;
  /** Takes in what an attempt came to. */
  note(intent: OperationRecord<Name>, outcome: Outcome<Value>): void;
  /** An attempt that was proven to have done nothing, or that cannot be paid. */
  supersede(intent: OperationRecord<Name>): void;
  /** It is over without an answer of its own: what has happened since may tell what it did. */
  settleByFacts(): void;
  readonly calls: Calls<Input, Value>;
  /** Marks it for a person when `work` takes longer than it should. */
  withAttention<T>(work: () => Promise<T>): Promise<T>;
  /** It is settled: no person need look any more. */
  calm(): void;
  record(): Promise<void>;
}

/** The activities that send one operation. */
export interface Calls<Input, Value> {
  /** One attempt, never repeated by the server. Only a schedule-to-start timeout proves not_sent. */
  once(input: Input): Promise<Outcome<Value>>;
  /** The same call again and again until it is definitive. */
  untilDefinitive(input: Input): Promise<Outcome<Value>>;
  /** Looks for evidence without end; waiting does not grow the history. */
  resolve(asked: {
    readonly sent: Input;
    readonly intendedAt: string;
    readonly mustBeProof: boolean;
  }): Promise<Resolution<Value>>;
}

/**
 * Carries one operation to its end. Returns the definitive outcome, or undefined when it was
 * overtaken (no longer wanted) or its time is over.
 */
export async function performOperation<Name extends string, Input extends Sent, Value>(
  sending: Sending<Name, Input, Value>,
): Promise<Outcome<Value> | undefined> {
  let settlement = await takeUp(sending);
  for (let attempt = 0; ; attempt += 1) {
    if (settlement.kind === 'settled') break;
    if (settlement.kind === 'over') {
      sending.settleByFacts();
      break;
    }
    settlement = await attemptOnce(sending, { attempt, next: settlement.kind });
  }
  sending.calm();
  return settlement.kind === 'settled' ? settlement.outcome : undefined;
}

/** An attempt whose outcome is unknown is settled before there is another, whoever left it so. */
async function takeUp<Name extends string, Input extends Sent, Value>(
  sending: Sending<Name, Input, Value>,
): Promise<Settlement<Value>> {
  const intent = sending.last();
  const isRepeatable = sending.recovery() === 'repeat';
  if (!intent || !isUnsettled(intent)) {
    // What the provider did not take goes out under the key it had.
    return { kind: isRepeatable && intent?.state === 'not_sent' ? 'again' : 'resend' };
  }
  // The same key again is how a repeatable operation is settled.
  if (isRepeatable) return { kind: 'again' };
  const outcome: Outcome<Value> = {
    kind: 'unknown',
    problem: { code: 'no_answer', message: 'an earlier run left it so' },
  };
  return resolve(sending, { input: sending.input(intent, true), intent, outcome, attempt: 0 });
}

function isUnsettled<Name extends string>(attempt: OperationRecord<Name> | undefined): boolean {
  return attempt?.state === 'unknown' || attempt?.state === 'sent';
}

/** That a repeat was not sent says nothing of the attempt before it. */
function stillUnknown<Value>(outcome: Outcome<Value>): Outcome<Value> {
  return outcome.kind === 'not_sent' ? { kind: 'unknown', problem: outcome.problem } : outcome;
}

async function attemptOnce<Name extends string, Input extends Sent, Value>(
  sending: Sending<Name, Input, Value>,
  { attempt, next }: { readonly attempt: number; readonly next: 'again' | 'resend' },
): Promise<Settlement<Value>> {
  const last = sending.last();
  const mayBeDone = next === 'again' && isUnsettled(last);
  const sequence = next === 'again' && last ? last.sequence : (last?.sequence ?? 0) + 1;
  const intent = sending.intend(sequence);
  const input = sending.input(intent, last !== undefined);
  // Awaited even when facts overtake it: its answer tells more than they do, and it is short.
  const answer = await sendOnce(sending, mayBeDone ? { ...input, mayBeDone } : input);
  const outcome = mayBeDone ? stillUnknown(answer) : answer;
  sending.note(intent, outcome);
  if (isDefinitive(sending.name, outcome)) return { kind: 'settled', outcome };

  // Settling it may take days; the record tells meanwhile how it stands.
  await sending.record();
  return settle(sending, { input, intent, outcome, attempt });
}

type Settlement<Value> =
  | { readonly kind: 'settled'; readonly outcome: Outcome<Value> }
  /** The same key goes out again: proven not sent. */
  | { readonly kind: 'again' }
  /** A new sequence goes out: the one before is proven to have done nothing. */
  | { readonly kind: 'resend' }
  | { readonly kind: 'over' };

interface Unsettled<Name extends string, Input, Value> {
  readonly input: Input;
  readonly intent: OperationRecord<Name>;
  readonly outcome: Outcome<Value>;
  readonly attempt: number;
}

async function settle<Name extends string, Input extends Sent, Value>(
  sending: Sending<Name, Input, Value>,
  unsettled: Unsettled<Name, Input, Value>,
): Promise<Settlement<Value>> {
  const { outcome, attempt } = unsettled;
  // A provider that will be able to tomorrow is not asked until then, and nothing is unknown.
  const isForLater = outcome.kind === 'not_sent' && outcome.cause === 'not_yet';
  if (sending.recovery() === 'repeat' && !isForLater) return repeat(sending, unsettled);
  return outcome.kind === 'not_sent'
    ? backOff(sending, { outcome, attempt })
    : resolve(sending, unsettled);
}

/** Nothing was sent: a pause, then the same key again. Costs events, so the pauses grow. */
async function backOff<Name extends string, Input extends Sent, Value>(
  { timing, until, isWanted }: Sending<Name, Input, Value>,
  { outcome, attempt }: { readonly outcome: NotSent; readonly attempt: number },
): Promise<Settlement<Value>> {
  const { resendFirstMs, resendMaxMs } = timing;
  const { retryAfterMs: wishMs = 0, cause } = outcome;
  const grownMs = Math.min(Math.max(resendFirstMs * 2 ** attempt, wishMs), resendMaxMs);
  const pauseMs = cause === 'not_yet' ? Math.max(wishMs, grownMs) : grownMs;
  if (until !== undefined && Date.now() + pauseMs > Date.parse(until)) return { kind: 'over' };
  const isOvertaken = await condition(() => !isWanted(), pauseMs);
  return { kind: isOvertaken ? 'over' : 'again' };
}

/** The provider deduplicates: one activity sends the same until the answer is definitive. */
async function repeat<Name extends string, Input extends Sent, Value>(
  sending: Sending<Name, Input, Value>,
  { input, intent, attempt, outcome: first }: Unsettled<Name, Input, Value>,
): Promise<Settlement<Value>> {
  const { until, isWanted, calls } = sending;
  const mayBeDone = first.kind === 'unknown';
  const repeated = { ...input, isResolved: true, repeatUntil: until ?? 'never', mayBeDone };
  const outcome = await sending.withAttention(() =>
    whileWanted(isWanted, () => calls.untilDefinitive(repeated)),
  );
  if (outcome === undefined) return { kind: 'over' };
  sending.note(intent, outcome);
  if (isDefinitive(sending.name, outcome)) return { kind: 'settled', outcome };
  if (outcome.kind !== 'not_sent' || outcome.cause !== 'not_yet') return { kind: 'over' };
  await sending.record();
  return backOff(sending, { outcome, attempt });
}

/** Bytes may have left: nothing more is sent until evidence says what became of it. */
async function resolve<Name extends string, Input extends Sent, Value>(
  sending: Sending<Name, Input, Value>,
  unsettled: Unsettled<Name, Input, Value>,
): Promise<Settlement<Value>> {
  const { input, intent } = unsettled;
  const mustBeProof = isOver(sending);
  const asked = { sent: input, intendedAt: intent.intendedAt, mustBeProof };
  const resolution = await sending.withAttention(() =>
    whileWanted(sending.isWanted, () => sending.calls.resolve(asked)),
  );
  if (resolution === undefined) return { kind: 'over' };
  return concludeResolution(sending, unsettled, { resolution, mustBeProof });
}

async function concludeResolution<Name extends string, Input extends Sent, Value>(
  sending: Sending<Name, Input, Value>,
  unsettled: Unsettled<Name, Input, Value>,
  found: { readonly resolution: Resolution<Value>; readonly mustBeProof: boolean },
): Promise<Settlement<Value>> {
  const { intent } = unsettled;
  const { resolution, mustBeProof } = found;
  switch (resolution.kind) {
    case 'settled':
      sending.note(intent, resolution.outcome);
      return { kind: 'settled', outcome: resolution.outcome };
    case 'resend':
      // Time ran out meanwhile: "nobody can pay it" allowed another attempt, but proves no end.
      if (isOver(sending) && !mustBeProof) return resolve(sending, unsettled);
      sending.supersede(intent);
      return isOver(sending) ? { kind: 'over' } : { kind: 'resend' };
    case 'wait':
      await sending.withAttention(() => condition(() => !sending.isWanted()));
      return { kind: 'over' };
  }
}

/** One attempt. Whatever the activity fails with, it is unknown, save the one proof of not_sent. */
async function sendOnce<Name extends string, Input extends Sent, Value>(
  { calls }: Sending<Name, Input, Value>,
  input: Input,
): Promise<Outcome<Value>> {
  try {
    return await calls.once(input);
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

function isOver({ until }: { readonly until?: string }): boolean {
  return until !== undefined && Date.now() >= Date.parse(until);
}
