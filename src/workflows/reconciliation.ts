/** Compares what a provider reports of some days, or of a payout, with what we know. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { ReconciliationActivities } from '../activities/reconciliations.js';
import type { ReportedFactActivities } from '../activities/reported-facts.js';
import { PROBLEM_CODES, type Problem, type ProblemCode } from '../domain/problem.js';
import { reconciliationRunId, type ReportScope } from '../domain/reconciliation.js';
import { TIMING, type Timing } from '../domain/timing.js';
import { showAttention } from './attention.js';
import type { ReconciliationInput, ReconciliationResult, RunRef, StartedRun } from './contract.js';
import { withAlarm } from './waiting.js';

type Activities = ReconciliationActivities & ReportedFactActivities;
type Steps = Omit<Activities, 'startRun' | 'finishRun'>;

/** Its history is bounded by its steps, whatever they take: it never continues as new. */
export async function reconciliation(input: ReconciliationInput): Promise<ReconciliationResult> {
  const timing = TIMING[input.timing ?? 'production'];
  const { startRun, finishRun } = storing(timing);
  const { connectionId, scope: asked } = input;
  const runId = reconciliationRunId({
    workflowRunId: workflowInfo().firstExecutionRunId,
    isDaily: asked === undefined,
  });
  const run: RunRef = { runId, connectionId };
  try {
    const started = await startRun({ ...run, ...(asked && { scope: asked }) });
    if (started.problem) return await finishRun({ ...run, problem: started.problem });
    await compare(run, started, timing);
    setCurrentDetails('Compared.');
    return await finishRun(run);
  } catch (error) {
    const problem = problemOf(error);
    if (!problem) throw error;
    const finish = (): Promise<ReconciliationResult> => finishRun({ ...run, problem });
    const result = await CancellationScope.nonCancellable(finish);
    if (isCancellation(error)) throw error;
    return result;
  }
}

async function compare(run: RunRef, started: StartedRun, timing: Timing): Promise<void> {
  const { scope, listings, waitUntil } = started;
  const steps = stepping(timing);
  const step = stepsOf(scope, timing);
  const list = async (round?: number): Promise<void> => {
    for (const each of listings) {
      const listing = { ...each, ...(round !== undefined && { round }) };
      await step(`listing ${listing.kind}`, () => steps.pullListing({ ...run, listing }));
    }
  };
  if ('payoutReference' in scope) {
    const asked = { ...run, payoutReference: scope.payoutReference };
    const listPayout = () => step('listing the payout', () => steps.pullPayout(asked));
    const isKnown = await listPayout();
    await list();
    // It has to be there before its lines; and where it is nobody tells but its lines.
    if (!isKnown && (await listPayout())) await list(1);
  } else {
    await list();
  }
  if (waitUntil !== undefined) {
    const awaited = { ...run, listings, until: waitUntil };
    show(scope, 'waiting for what is not reported yet');
    await steps.awaitReport(awaited);
  }
  const settle = (which: 'small' | 'matched'): Promise<number> =>
    step('listing payouts that do not tie', () => steps.pullUnsettledPayouts({ ...run, which }));
  if ('days' in scope) await settle('small');
  await step('comparing', () => steps.matchRun(run));
  if ('days' in scope && (await settle('matched')) > 0) {
    await step('comparing again', () => steps.matchRun(run));
  }
  const fed = await step('telling payments what they do not know', () => steps.feedFacts(run));
  if (fed === 0) return;
  const until = new Date(Date.now() + timing.factsArriveMs).toISOString();
  await step('waiting for them to take it in', () => steps.awaitFacts({ ...run, until }));
  await step('comparing again', () => steps.matchRun(run));
}

type Step = <T>(what: string, work: () => Promise<T>) => Promise<T>;

/** What is under way is shown; and found, once it takes long. */
function stepsOf(scope: ReportScope, { attentionAfterMs }: Timing): Step {
  return async (what, work) => {
    show(scope, what);
    let isLong = false;
    const ring = (): Promise<void> => {
      isLong = true;
      show(scope, `${what}. It takes long: its pending activity says what it waits for`);
      showAttention('overdue');
      return Promise.resolve();
    };
    const result = await withAlarm({ afterMs: attentionAfterMs, ring }, work);
    if (isLong) showAttention(undefined);
    return result;
  };
}

function show(scope: ReportScope, what: string): void {
  const about = 'days' in scope ? wordsOf(scope.days) : `payout ${scope.payoutReference}`;
  setCurrentDetails(`Reconciling ${about}: ${what}.`);
}

function wordsOf({ from, to }: { readonly from: string; readonly to: string }): string {
  return from === to ? from : `${from} to ${to}`;
}

/** The store is waited for without end: no run is left unended. */
function storing({ recordWithinMs, recordRetryFirstMs, recordRetryMaxMs }: Timing) {
  return proxyActivities<Pick<Activities, 'startRun' | 'finishRun'>>({
    startToCloseTimeout: 10 * recordWithinMs,
    retry: { initialInterval: recordRetryFirstMs, maximumInterval: recordRetryMaxMs },
  });
}

function stepping(timing: Timing): Steps {
  return proxyActivities<Steps>({
    startToCloseTimeout: timing.reconcileStepMs,
    scheduleToCloseTimeout: timing.reconcileGiveUpMs,
    heartbeatTimeout: timing.reconcileSilentMs,
    retry: { initialInterval: timing.resolveFirstMs, maximumInterval: timing.reportEveryMs },
  });
}

/** Why a run ends without having compared everything; undefined where our own code is at fault. */
function problemOf(error: unknown): Problem | undefined {
  if (isCancellation(error)) {
    return { code: 'withdrawn', message: 'somebody cancelled the run' };
  }
  if (!(error instanceof ActivityFailure)) return undefined;
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure)) {
    return { code: 'no_answer', message: 'it could not be done in time' };
  }
  return { code: codeOf(cause.type), message: cause.message };
}

function codeOf(type: string | null | undefined): ProblemCode {
  const isKnown = typeof type === 'string' && Object.hasOwn(PROBLEM_CODES, type);
  return isKnown ? (type as ProblemCode) : 'no_answer';
}
