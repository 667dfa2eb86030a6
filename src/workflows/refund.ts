/**
 * A refund: its amount is set aside in the store → sent → followed at the provider → recorded → end.
 * Each turn of the loop does the one thing that its status asks for.
 */
import {
  CancellationScope,
  allHandlersFinished,
  condition,
  continueAsNew,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Refund } from '../domain/refund.js';
import { TIMING, type Timing } from '../domain/timing.js';
import {
  SEARCH_ATTRIBUTES,
  type RefundAnswer,
  type RefundInput,
  type RefundOpenedValue,
  type RefundSendInput,
  type StoredRefund,
} from './contract.js';
import { createRefundProxies } from './proxies.js';
import { refuseMalformedRefund } from './shape.js';
import { registerRefundHandlers, type RefundHandlers } from './refund-handlers.js';
import { RefundRun } from './refund-run.js';
import { RefundState } from './refund-state.js';
import { ownRunId } from './run-id.js';
import { performOperation } from './send.js';
import { whileWanted } from './waiting.js';

export async function refund(input: RefundInput): Promise<Refund> {
  if (input.mode === 'open') refuseMalformedRefund(input.request, workflowInfo().workflowId);
  const timing = TIMING[input.timing ?? 'production'];
  const handlers = registerRefundHandlers();
  const stored = input.mode === 'open' ? begun(input.request) : await load(input.refundId, timing);
  if (!stored) return handlers.refuseAll('there is no refund of this id');
  const run = new RefundRun(new RefundState(stored), timing);
  handlers.attach(run);
  const hasForerunner = workflowInfo().continuedFromExecutionRunId !== undefined;
  run.runId = await ownRunId(run.proxies.identify, hasForerunner);
  CancellationScope.current().cancelRequested.catch(() => void (run.state.isCancelled = true));
  // Cancelling the workflow must not tear a refund from its money: it is a wish like another.
  await CancellationScope.nonCancellable(() => carryOut(run, { input, handlers }));
  return run.state.refund;
}

function begun(request: StoredRefund['request']): StoredRefund {
  const { refundId, paymentId, amount, description, requestedAt } = request;
  const refund: Refund = {
    refundId,
    paymentId,
    ...(amount && { amount }),
    ...(description !== undefined && { description }),
    status: 'requested',
    ended: false,
    requestedAt,
  };
  return { request, refund, revision: 0 };
}

/** State that matters is loaded inside the run: an argument could be old by now. */
async function load(refundId: string, timing: Timing): Promise<StoredRefund | undefined> {
  const { loadRefund } = createRefundProxies(timing).withoutEnd;
  return (await loadRefund(refundId)) ?? undefined;
}

interface Whole {
  readonly input: RefundInput;
  readonly handlers: RefundHandlers;
}

async function carryOut(run: RefundRun, { input, handlers }: Whole): Promise<void> {
  const { state, timing } = run;
  if (state.refund.attention) run.needAttention(state.refund.attention.reason);
  if (state.refund.status === 'requested') await reserve(run, handlers);
  const overdueMs = Date.parse(state.request.requestedAt) + timing.refundOverdueMs - Date.now();
  await run.withAttention({ reason: 'overdue', afterMs: Math.max(overdueMs, 1) }, async () => {
    while (!(await step(run))) {
      if (canContinueAsNew(run)) await goOn(run, input);
    }
  });
}

/** One turn; true when the refund is over. */
async function step(run: RefundRun): Promise<boolean> {
  const { state } = run;
  run.describe();
  switch (state.refund.status) {
    case 'requested':
    case 'reserved':
    case 'unknown':
      await send(run);
      return false;
    case 'pending':
    case 'processing':
      await follow(run);
      return false;
    case 'succeeded':
    case 'failed':
    case 'reversed':
    case 'rejected':
      await askIfHinted(run);
      return end(run);
  }
}

// --- reserve ------------------------------------------------------------------------------------

/** Committed before anything is sent; a repeat meets the same reservation. */
async function reserve(run: RefundRun, handlers: RefundHandlers): Promise<void> {
  const { state } = run;
  const result = await run.proxies.withoutEnd.reserveRefund(state.request);
  if (!result) return handlers.refuseAll('there is no payment of this id');
  state.goOnFrom(result);
  const { connectionId, status } = state.refund;
  if (status === 'rejected') run.hasAnswer = true;
  if (connectionId !== undefined) {
    upsertSearchAttributes({ [SEARCH_ATTRIBUTES.connection]: [connectionId] });
  }
}

// --- send ---------------------------------------------------------------------------------------

async function send(run: RefundRun): Promise<void> {
  const { state, timing, proxies } = run;
  await performOperation<'refund', RefundSendInput, RefundOpenedValue>({
    name: 'refund',
    timing,
    isWanted: () => state.isToBeSent && !isCancelledUnsent(state),
    recovery: () => state.terms?.recovery,
    last: () => state.refund.operation,
    intend: (sequence) => state.intend(sequence),
    input: ({ sequence, key }, isResolved) => sendInput(run, { sequence, key, isResolved }),
    note(intent, outcome) {
      state.note(intent, outcome);
      run.hasAnswer = true;
      if ('problem' in outcome && outcome.problem.code === 'key_conflict') {
        run.needAttention('key_conflict');
      }
      run.describe();
    },
    supersede: (intent) => state.supersede(intent),
    settleByFacts: () => undefined,
    calls: {
      once: (input) => proxies.sendOnce.sendRefund(input),
      untilDefinitive: (input) => proxies.sendUntilDefinitive.sendRefund(input),
      resolve: (asked) => proxies.resolve.resolveRefund(asked),
    },
    withAttention: (work) =>
      run.withAttention({ reason: 'outcome_unknown', afterMs: timing.attentionAfterMs }, work),
    calm() {
      if (state.refund.attention?.reason === 'outcome_unknown') run.clearAttention();
    },
    record: () => run.recorder.now(),
  });
  if (!state.isToBeSent) return;
  if (isCancelledUnsent(state)) {
    state.fail({ code: 'withdrawn', message: 'it was withdrawn before anything was sent' });
    return;
  }
  await awaitPerson(run);
}

/** Not wanted any more, and proven not to have been sent. */
function isCancelledUnsent({ isCancelled, refund: { status } }: RefundState): boolean {
  return isCancelled && status === 'reserved';
}

/** No repeat can tell what became of it: it goes on when somebody says so, or says how it stands. */
async function awaitPerson(run: RefundRun): Promise<void> {
  const { state } = run;
  if (!state.refund.attention) run.needAttention('outcome_unknown');
  await run.recorder.now();
  await condition(() => state.isHinted || !state.isToBeSent);
  state.isHinted = false;
}

function sendInput(
  { state, timing, runId }: RefundRun,
  sent: { readonly sequence: number; readonly key: string; readonly isResolved: boolean },
): RefundSendInput {
  const { request, refund } = state;
  return {
    ...sent,
    refundId: request.refundId,
    request,
    ...reserved(refund),
    writeWithinMs: timing.sendQueueLimitMs + timing.activityMarginMs,
    firstRunId: runId,
  };
}

/** What is sent or asked about has been reserved. */
function reserved({ connectionId = '', paymentReference = '', amount }: Refund) {
  if (!amount) throw new Error('a refund that was not reserved has no amount');
  return { connectionId, paymentReference, amount };
}

// --- follow -------------------------------------------------------------------------------------

/** No notification tells of it: it is asked for, quickly at first. */
async function follow(run: RefundRun): Promise<void> {
  const { state, proxies } = run;
  await run.recorder.now();
  const { status } = state.refund;
  const isStill = (): boolean => state.refund.status === status && !state.isHinted;
  const asked = askInput(run, 'news');
  const answer = asked && (await whileWanted(isStill, () => proxies.ask.askRefund(asked)));
  if (answer) takeIn(run, answer);
  await askIfHinted(run);
}

async function askIfHinted(run: RefundRun): Promise<void> {
  const { state, proxies } = run;
  if (!state.isHinted) return;
  state.isHinted = false;
  const asked = askInput(run, 'now');
  if (!asked) return;
  const answer = await whileWanted(
    () => !state.isHinted,
    () => proxies.ask.askRefund(asked),
  );
  if (answer) takeIn(run, answer);
}

function takeIn(run: RefundRun, { standing }: RefundAnswer): void {
  run.answersTaken += 1;
  run.state.stand(standing);
  if (run.state.refund.status === 'reversed') run.needAttention('reversed');
}

function askInput({ state }: RefundRun, until: 'now' | 'news') {
  const { providerReference, status } = state.refund;
  if (providerReference === undefined) return undefined;
  return { ...reserved(state.refund), providerReference, until, known: status };
}

// --- the end, and beginning anew ----------------------------------------------------------------

/** True when the refund is over; false when something came up while its end was recorded. */
async function end(run: RefundRun): Promise<boolean> {
  const { state } = run;
  const { status } = state.refund;
  // What came back needs a person until it is dismissed; what is done after all needs nobody.
  if (status !== 'reversed') run.clearAttention();
  state.change({ ended: true });
  run.hasAnswer = true;
  run.describe();
  await run.recorder.finally();
  await condition(() => allHandlersFinished() || state.isHinted);
  const isStill = state.refund.status === status && !run.recorder.hasUnrecorded;
  if (isStill && !state.isHinted) return true;
  state.change({ ended: false });
  return false;
}

function canContinueAsNew({ recorder, state }: RefundRun): boolean {
  const isIdle = allHandlersFinished() && !recorder.isRecording && !state.isHinted;
  return workflowInfo().continueAsNewSuggested && isIdle;
}

async function goOn(run: RefundRun, { timing }: RefundInput): Promise<never> {
  await run.recorder.finally();
  const { refundId } = run.state.request;
  return continueAsNew<typeof refund>({ mode: 'resume', refundId, ...(timing && { timing }) });
}
