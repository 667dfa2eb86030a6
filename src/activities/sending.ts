/** One attempt at an operation that moves money, and the search for what became of it. */
import { Context, activityInfo, type Info } from '@temporalio/activity';
import { isDefinitive, type Outcome } from '../domain/outcome.js';
import type { Problem, ProblemCode } from '../domain/problem.js';
import type { Recovery } from '../domain/terms.js';
import type { Timing } from '../domain/timing.js';
import type { Evidence, Operation } from '../providers/provider.js';
import type { Resolution, Sent } from '../workflows/contract.js';
import { growing, notYet, type Delay } from './pacing.js';

/** An operation to be sent, or one that was and whose answer is missing. */
export interface Attempt<Value, Asked> {
  readonly name: string;
  readonly sent: Sent;
  readonly operation: Operation<Value, Asked>;
  readonly recovery: Recovery;
  /** What the adapter is told, for an order given at this time. Epoch milliseconds. */
  intent(intendedAtMs: number): Asked;
  /** Since when an earlier run may have sent it. ISO 8601. */
  readonly requestedAt: string;
}

export interface Clocked {
  readonly timing: Timing;
  readonly now: () => number;
}

/** Sends once. Where it is to be repeated until definitive, anything less makes the server retry. */
export async function sendAttempt<Value, Asked>(
  attempt: Attempt<Value, Asked>,
  clocked: Clocked,
): Promise<Outcome<Value>> {
  const { sent, operation, name } = attempt;
  const { repeatUntil } = sent;
  if (repeatUntil !== undefined && clocked.now() >= endOf(repeatUntil)) {
    return windowClosed(repeatUntil);
  }
  const intendedAtMs = scheduledAtMs();
  const found = await findAfterReset(attempt, intendedAtMs);
  if (found) return found;
  const outcome = await operation.send(attempt.intent(intendedAtMs));
  if (repeatUntil === undefined || isDefinitive(name, outcome) || isBeyondRepeat(outcome)) {
    return outcome;
  }
  throw notDone(attempt, outcome, clocked);
}

const BEYOND_REPEAT: readonly ProblemCode[] = ['key_conflict', 'ambiguous_refusal'];

/** Repeats would not change it soon, or not at all: the workflow has to know. */
function isBeyondRepeat(outcome: Outcome<unknown>): boolean {
  if (outcome.kind === 'not_sent') return outcome.cause === 'not_yet';
  return outcome.kind === 'unknown' && BEYOND_REPEAT.includes(outcome.problem.code);
}

/** A repeated operation that came to nothing definitive: the server retries until its window ends. */
function notDone(
  { name, sent: { repeatUntil = 'never' } }: Pick<Attempt<unknown, unknown>, 'name' | 'sent'>,
  outcome: Outcome<unknown>,
  { timing, now }: Clocked,
) {
  const problem = 'problem' in outcome ? outcome.problem.message : outcome.kind;
  const wishMs = outcome.kind === 'not_sent' ? outcome.retryAfterMs : undefined;
  return notYet(`${name} is not done yet: ${problem}`, {
    delayMs: Math.max(wishMs ?? 0, growing(timing.resendFirstMs, timing.resendMaxMs)),
    untilMs: endOf(repeatUntil),
    nowMs: now(),
  });
}

function endOf(repeatUntil: string): number {
  return repeatUntil === 'never' ? Infinity : Date.parse(repeatUntil);
}

/**
 * A refusal of what may have been sent before proves that the earlier attempt did nothing only once
 * it cannot arrive any more: until then it is asked again. That more was asked for than is left
 * never proves it: it is also what is said when the earlier attempt took it. Where nothing was sent
 * before, and for all other outcomes, nothing changes.
 */
export function settledRefusal<Value>(
  outcome: Outcome<Value>,
  { repeatUntil, mayBeDone = false }: Sent,
  { timing, now }: Clocked,
): Outcome<Value> {
  const { attempt, heartbeatDetails: details } = activityInfo() as Omit<
    Info,
    'heartbeatDetails'
  > & {
    readonly heartbeatDetails: unknown;
  };
  const isRepeat = mayBeDone || (repeatUntil !== undefined && attempt > 1);
  if (!isRepeat || !isRefusal(outcome)) return outcome;
  // A single attempt has no time to wait until nothing can still arrive.
  const isSingle = repeatUntil === undefined;
  if (isSingle || outcome.problem.code === 'amount_unavailable') return ambiguous(outcome.problem);
  const refusedAtMs = typeof details === 'number' ? details : now();
  const remainingMs = refusedAtMs + timing.settlingDelayMs - now();
  if (remainingMs <= 0) return outcome;
  Context.current().heartbeat(refusedAtMs);
  throw notYet(`refused (${outcome.problem.message}); believed once nothing can still arrive`, {
    ...{ delayMs: remainingMs, untilMs: Infinity, nowMs: now() },
  });
}

function ambiguous(problem: Problem): Extract<Outcome, { kind: 'unknown' }> {
  const message = `after a lost answer this proves nothing: ${problem.message}`;
  return { kind: 'unknown', problem: { ...problem, code: 'ambiguous_refusal', message } };
}

function isRefusal(
  outcome: Outcome<unknown>,
): outcome is Extract<Outcome<unknown>, { kind: 'declined' | 'not_sent' }> {
  if (outcome.kind !== 'not_sent') return outcome.kind === 'declined';
  return outcome.cause === 'rejected' || outcome.cause === 'not_yet';
}

/** Ends only with evidence; until then it fails and is retried. */
export async function resolveAttempt<Value, Asked>(
  attempt: Attempt<Value, Asked>,
  lost: { readonly intendedAt: string; readonly mustBeProof: boolean },
  clocked: Clocked,
): Promise<Resolution<Value>> {
  const { operation, sent, recovery } = attempt;
  if (!('find' in operation)) return { kind: 'wait' };
  const evidence = await operation.find(searchedIntent(attempt, Date.parse(lost.intendedAt)));
  if (evidence.kind === 'settled') return evidence;
  if (evidence.kind === 'unclear') throw unclear(evidence, clocked);
  const mustBeProof = lost.mustBeProof || wasReset(sent);
  return concludeAbsent(recovery, { ...lost, mustBeProof }, clocked);
}

/** "No trace" proves something only once a late arrival can be excluded. */
function concludeAbsent(
  recovery: Recovery,
  lost: { readonly intendedAt: string; readonly mustBeProof: boolean },
  { timing, now }: Clocked,
): { readonly kind: 'resend' } {
  if (recovery === 'reissue' && !lost.mustBeProof) return { kind: 'resend' };
  const settledAtMs = Date.parse(lost.intendedAt) + timing.settlingDelayMs;
  const remainingMs = settledAtMs - now();
  if (remainingMs <= 0) return { kind: 'resend' };
  throw notYet('no trace of it at the provider; that is proof only after the settling delay', {
    delayMs: Math.min(remainingMs, Math.max(timing.resolveFirstMs, remainingMs / 2)),
    untilMs: Infinity,
    nowMs: now(),
  });
}

function unclear(
  { problem, retryAfterMs = 0 }: Extract<Evidence<unknown>, { kind: 'unclear' }>,
  clocked: Clocked,
) {
  const { delayMs, ...rest } = resolvePace(clocked);
  return notYet(problem.message, { ...rest, delayMs: Math.max(delayMs, retryAfterMs) });
}

/** The pace of looking for evidence. */
export function resolvePace({ timing, now }: Clocked): Delay {
  const delayMs = growing(timing.resolveFirstMs, timing.resolveMaxMs);
  return { delayMs, untilMs: Infinity, nowMs: now() };
}

/**
 * After a workflow reset the history no longer tells what was sent: look before sending. What is
 * repeatable is simply repeated with the same key.
 */
async function findAfterReset<Value, Asked>(
  attempt: Attempt<Value, Asked>,
  intendedAtMs: number,
): Promise<Outcome<Value> | undefined> {
  const { sent, operation } = attempt;
  if (!wasReset(sent) || operation.recovery === 'repeat') return undefined;
  const searched = searchedIntent(attempt, intendedAtMs);
  const evidence = 'find' in operation ? await operation.find(searched) : undefined;
  if (evidence?.kind === 'settled') return evidence.outcome;
  const message = 'this run was reset: what an earlier run sent has to be found out first';
  return { kind: 'unknown', problem: { code: 'no_answer', message } };
}

/** In a run after a reset; what its forerunner sent, and told the payer, is not in its history. */
function wasReset({ isResolved, firstRunId }: Sent): boolean {
  return !isResolved && activityInfo().workflowExecution?.runId !== firstRunId;
}

/** An earlier run may have sent it at any time since it was asked for. */
function searchedIntent<Value, Asked>(
  { sent, intent, requestedAt }: Attempt<Value, Asked>,
  intendedAtMs: number,
): Asked {
  const requestedAtMs = Date.parse(requestedAt);
  return intent(wasReset(sent) ? Math.min(intendedAtMs, requestedAtMs) : intendedAtMs);
}

/** When this attempt was due, by the server's clock. */
function scheduledAtMs(): number {
  return activityInfo().currentAttemptScheduledTimestampMs;
}

function windowClosed(repeatUntil: string): Extract<Outcome, { kind: 'unknown' }> {
  const message = `the provider's time limit passed at ${repeatUntil} without a definitive answer`;
  return { kind: 'unknown', problem: { code: 'window_closed', message } };
}
