/**
 * A payment, from being asked for to its end: create → wait for the payer → authorized → capture or
 * void → record → end. Each turn of the loop asks the plan for one step and carries it out.
 */
import {
  CancellationScope,
  allHandlersFinished,
  condition,
  continueAsNew,
  workflowInfo,
} from '@temporalio/workflow';
import { fact } from '../domain/facts.js';
import { operationKey } from '../domain/ids.js';
import { askedMoney, type Money } from '../domain/money.js';
import type { Payment } from '../domain/payment.js';
import type { Problem } from '../domain/problem.js';
import { TIMING } from '../domain/timing.js';
import type { CarriedPayment, PaymentInput, Wishes } from './contract.js';
import { askForNews, askIfHinted, askNow } from './asking.js';
import { attentionAtEnd, raiseAttention } from './attention.js';
import { registerHandlers } from './handlers.js';
import { createProxies } from './proxies.js';
import { PaymentRun } from './run.js';
import { performOrder } from './commands.js';
import { ownRunId } from './run-id.js';
import { refuseMalformed } from './shape.js';
import { PaymentState } from './state.js';
import type { Step } from './plan.js';

export async function payment(input: PaymentInput): Promise<Payment> {
  if (input.mode === 'open' || input.mode === 'adopt') {
    refuseMalformed(input.request, workflowInfo().workflowId);
  }
  const timing = TIMING[input.timing ?? 'production'];
  const handlers = registerHandlers();
  const carried = input.mode === 'resume' ? await loadCarried(input) : carriedOf(input);
  if (!carried) return handlers.refuseAll('there is no payment of this id');
  const state = new PaymentState(carried, timing.captureMarginMs);
  const run = new PaymentRun(state, timing);
  handlers.attach(run);
  if (input.mode === 'resume') run.showAttention();
  run.runId = await ownRunId(run.proxies.identify, input.mode === 'continue');
  heedCancellation(run);
  // Cancelling the workflow must not tear a payment from its money: it is a wish like another.
  await CancellationScope.nonCancellable(() => carryOut(run, input));
  return run.state.payment();
}

function heedCancellation({ state }: PaymentRun): void {
  CancellationScope.current().cancelRequested.catch(() => {
    const isUnpaid = ['created', 'requires_action', 'processing'].includes(state.view.status);
    const reason = 'the workflow was cancelled in Temporal';
    if (isUnpaid) state.wishes = { ...state.wishes, cancel: { reason } };
  });
}

async function carryOut(run: PaymentRun, input: PaymentInput): Promise<void> {
  const { state } = run;
  for (;;) {
    const step = state.nextStep();
    raiseAttention(run, step);
    if (step.do === 'end') {
      await askIfHinted(run);
      if (state.nextStep().do === 'end' && (await end(run))) return;
      continue;
    }
    if (isWaiting(step)) {
      run.describe();
      await run.recorder.now();
      if (canContinueAsNew(run)) await continueRun(run, input);
    }
    await perform(run, step);
  }
}

function perform(run: PaymentRun, step: Exclude<Step, { do: 'end' }>): Promise<void> {
  switch (step.do) {
    case 'create':
      return create(run);
    case 'learn_terms':
      return learnTerms(run);
    case 'await_payer':
      return awaitPayer(run);
    case 'cancel':
      return command(run, 'cancel', step);
    case 'capture':
      return command(run, 'capture', step);
    case 'void':
      return command(run, 'void', step);
    case 'await_decision':
      return awaitDecision(run, step.untilMs);
    case 'ask_before_void':
      return askBeforeVoid(run);
    case 'await_provider':
      return awaitProvider(run);
  }
}

// --- create -----------------------------------------------------------------------------------

/** Tried until the payer can be taken to have left; then only proof ends it. */
async function create(run: PaymentRun): Promise<void> {
  const { state, timing } = run;
  const startedMs = workflowInfo().startTime.getTime();
  const untilMs = startedMs + timing.startWithinMs;
  if (Date.now() > untilMs && !state.lastOf('create')) {
    conclude(run, 'not_started', {
      code: 'not_started_in_time',
      message: 'no worker began the payment in time; its payer is taken to have left',
    });
    return;
  }
  const outcome = await performOrder(run, {
    operation: 'create',
    ...askedAmount(run),
    isWanted: () => state.view.status === 'created' && !isCancelledUnsent(run),
    until: new Date(untilMs).toISOString(),
  });
  if (state.view.status !== 'created') return;
  if (outcome?.kind === 'declined') conclude(run, 'declined', outcome.problem);
  else if (outcome?.kind === 'not_sent') conclude(run, 'rejected', outcome.problem);
  else if (isCancelledUnsent(run)) conclude(run, 'canceled');
  else if (!outcome) conclude(run, 'not_started', lastProblem(run));
}

/** Absent where the payer chooses it. */
function askedAmount({ state }: PaymentRun): { readonly amount?: Money } {
  const amount = askedMoney(state.request.amount);
  return amount ? { amount } : {};
}

/** Not wanted any more, and proven not to have been sent. */
function isCancelledUnsent({ state }: PaymentRun): boolean {
  return state.wishes.cancel !== undefined && state.lastOf('create')?.state === 'not_sent';
}

/** A proof that nothing happened at the provider is a fact about our own operation. */
function conclude(
  run: PaymentRun,
  kind: 'declined' | 'rejected' | 'not_started' | 'canceled',
  problem?: Problem,
): void {
  const { paymentId } = run.state.request;
  const object =
    run.state.lastOf('create')?.key ??
    operationKey({ paymentId, operation: 'create', sequence: 1 });
  const occurredAt = new Date().toISOString();
  run.state.learn([
    fact({ kind, object, ...(problem && { problem }), occurredAt, source: 'holdfast' }),
  ]);
}

function lastProblem(run: PaymentRun): Problem {
  return (
    run.state.lastOf('create')?.problem ?? {
      code: 'unreachable',
      message: 'the provider could not be reached in time',
    }
  );
}

// --- capture, void, cancel ----------------------------------------------------------------------

async function command(
  run: PaymentRun,
  operation: 'capture' | 'void' | 'cancel',
  step: Step,
): Promise<void> {
  const { state } = run;
  const { captureDeadline } = state.particulars.terms ?? {};
  const { authorized } = state.view.amounts;
  const amount = step.do === 'capture' ? step.amount : authorized;
  const outcome = await performOrder(run, {
    operation,
    ...(operation === 'cancel' ? askedAmount(run) : { amount }),
    isWanted: () => state.nextStep().do === step.do,
    ...(captureDeadline !== undefined && operation !== 'cancel' && { until: captureDeadline }),
  });
  const isRefused = outcome?.kind === 'declined' || outcome?.kind === 'not_sent';
  // What was withdrawn may be in a payer's hands all the same; there is no withdrawing it twice.
  const isFutile = operation === 'cancel' && outcome?.kind === 'succeeded' && isOpen(state);
  if (isRefused || isFutile) refuse(run, operation);
}

function isOpen({ view }: PaymentState): boolean {
  return view.status === 'requires_action' || view.status === 'processing';
}

/** The provider said no for good. What is still held then needs a person, or its own end. */
function refuse(run: PaymentRun, operation: 'capture' | 'void' | 'cancel'): void {
  const { state } = run;
  state.refused = new Set([...state.refused, operation]);
  if (state.view.status !== 'authorized') return;
  if (operation === 'capture') {
    state.wishes = withoutCapture(state.wishes);
    run.needAttention('capture_refused');
  }
  if (operation === 'void') run.needAttention('void_refused');
}

function withoutCapture({ capture: _done, ...rest }: Wishes): Wishes {
  return rest;
}

// --- waiting ------------------------------------------------------------------------------------

/** A notification usually comes within minutes and costs one timer; else the provider is asked. */
async function awaitPayer(run: PaymentRun): Promise<void> {
  const { state, timing } = run;
  const isStill = (): boolean => state.nextStep().do === 'await_payer' && !state.isHinted;
  if (await condition(() => !isStill(), timing.pollAfterMs)) {
    await askIfHinted(run);
    return;
  }
  await askForNews(run, isStill);
  await askIfHinted(run);
}

/** Held, and to be decided on: by a command, a notification, or our deadline. */
async function awaitDecision(run: PaymentRun, untilMs: number | undefined): Promise<void> {
  const { state } = run;
  const isOver = (): boolean => state.nextStep().do !== 'await_decision' || state.isHinted;
  if (untilMs === undefined) await condition(isOver);
  else await condition(isOver, Math.max(untilMs - Date.now(), 1));
  await askIfHinted(run);
}

async function learnTerms(run: PaymentRun): Promise<void> {
  const { state } = run;
  const isHeld = state.view.status === 'authorized';
  if ((await askNow(run)) && isHeld) state.knowsHoldTerms = true;
}

async function askBeforeVoid(run: PaymentRun): Promise<void> {
  if (await askNow(run)) run.state.hasAskedAtDeadline = true;
}

/** Nothing is left for us to do: the provider is asked until it says how it ended. */
async function awaitProvider(run: PaymentRun): Promise<void> {
  const { state } = run;
  await askForNews(run, () => state.nextStep().do === 'await_provider' && !state.isHinted);
  await askIfHinted(run);
}

// --- the end, and beginning anew ------------------------------------------------------------------

/** True when the payment is over; false when something came up while its end was recorded. */
async function end(run: PaymentRun): Promise<boolean> {
  const { state } = run;
  const reason = attentionAtEnd(state);
  if (reason) run.needAttention(reason);
  else run.clearAttention();
  state.hasEnded = true;
  state.advance();
  run.describe();
  await run.recorder.finally();
  // A handler may itself wait for an answer of the provider.
  await condition(() => allHandlersFinished() || state.isHinted);
  if (state.nextStep().do === 'end' && !run.recorder.hasUnrecorded && !state.isHinted) return true;
  state.hasEnded = false;
  state.advance();
  return false;
}

function isWaiting(step: Step): boolean {
  return ['await_payer', 'await_decision', 'await_provider'].includes(step.do);
}

function canContinueAsNew(run: PaymentRun): boolean {
  const isIdle = allHandlersFinished() && !run.recorder.isRecording && !run.state.isHinted;
  return workflowInfo().continueAsNewSuggested && isIdle;
}

async function continueRun(run: PaymentRun, { timing }: PaymentInput): Promise<never> {
  return continueAsNew<typeof payment>({
    mode: 'continue',
    state: run.state.carried(),
    ...(timing && { timing }),
  });
}

function carriedOf(input: Exclude<PaymentInput, { mode: 'resume' }>): CarriedPayment {
  if (input.mode === 'continue') return input.state;
  const { request } = input;
  const particulars = input.mode === 'adopt' ? { providerReference: input.providerReference } : {};
  return { request, facts: [], operations: [], particulars, wishes: {}, revision: 0 };
}

/**
 * State that matters is loaded inside the run: an argument could be old by now. Undefined when the
 * store has no such payment: none ends without being recorded.
 */
async function loadCarried(
  input: Extract<PaymentInput, { mode: 'resume' }>,
): Promise<CarriedPayment | undefined> {
  const { loadPayment } = createProxies(TIMING[input.timing ?? 'production']).recordWithoutEnd;
  const loaded = await loadPayment(input.paymentId);
  if (!loaded) return undefined;
  const { progress, ...stored } = loaded;
  const { revision, repairs, attention } = progress;
  return {
    ...stored,
    wishes: {},
    revision,
    ...(repairs && { repairs }),
    ...(attention && { attention }),
  };
}
