/**
 * The side effects of a reconciliation. Pages of reports go from the provider to the store within an
 * activity: nothing but counts passes through the history. Every one may be repeated, by whoever
 * goes on after a crash; what has been taken is not asked for again.
 */
import { activityInfo, ApplicationFailure, Context, log } from '@temporalio/activity';
import { dayOf } from '../domain/calendar.js';
import { invalidRequest, type Problem } from '../domain/problem.js';
import {
  checkDays,
  completeFrom,
  daysDue,
  listingsOf,
  payoutDays,
} from '../domain/reconciliation-plan.js';
import {
  isDailyRun,
  type ListingProgress,
  type ReconciliationRun,
  type ReportListing,
  type ReportScope,
} from '../domain/reconciliation.js';
import type { Day, DayRange } from '../domain/report.js';
import type { Timing } from '../domain/timing.js';
import type { Connections } from '../providers/connections.js';
import type { ReportCapability, ReportPage, ReportRequest } from '../providers/provider.js';
import type { Awaited } from '../store/reconciling/contract.js';
import type { Store } from '../store/store.js';
import type {
  AwaitReportInput,
  FinishRunInput,
  PayoutInput,
  PullInput,
  ReconciliationResult,
  RunRef,
  StartedRun,
  StartRunInput,
  UnsettledInput,
} from '../workflows/contract.js';
import { notYet } from './pacing.js';

export interface ReconciliationActivities {
  /** Begins a run, and tells what it has to list. */
  startRun(input: StartRunInput): Promise<StartedRun>;
  /** Takes a listing from where it stands to its end. */
  pullListing(input: PullInput): Promise<void>;
  /** Lists anew what should be there and is not, until it is, or is late. */
  awaitReport(input: AwaitReportInput): Promise<void>;
  /**
   * Takes a payout itself: by its day, since providers list none by its id. False where its day is
   * not known, as none of its lines are.
   */
  pullPayout(input: PayoutInput): Promise<boolean>;
  matchRun(run: RunRef): Promise<void>;
  /** Lists the payouts of their own that are not the sum of their lines; answers how many. */
  pullUnsettledPayouts(input: UnsettledInput): Promise<number>;
  finishRun(input: FinishRunInput): Promise<ReconciliationResult>;
}

export interface ReconciliationDependencies {
  readonly connections: Connections;
  readonly store: Pick<Store, 'reconciliations' | 'payouts'>;
  readonly timing: Timing;
  readonly now: () => number;
}

/** Of payouts that do not tie, no run asks for more one by one. */
const MOST_PAYOUTS = 500;
const PAYOUTS_A_PAGE = 20;
const LINES_A_PAGE = 1_000;
const RUNS_A_PAGE = 100;
const DAY_MS = 86_400_000;

export function reconciliationActivities(
  dependencies: ReconciliationDependencies,
): ReconciliationActivities {
  const { connections, store, timing, now } = dependencies;
  const { reconciliations } = store;

  return {
    async startRun({ runId, connectionId, scope: asked }) {
      const reports = connections.get(connectionId)?.reports;
      const timeZone = reports?.timeZone ?? 'UTC';
      const requestedAt = isoTime(now());
      const scope = asked ?? (await scopeDue(connectionId, dayOf(requestedAt, timeZone)));
      const hasPayouts = reports?.kinds.includes('payouts') ?? false;
      const run = await reconciliations.start({
        ...{ runId, connectionId, scope, timeZone, hasPayouts, requestedAt },
      });
      return reports
        ? planOf(run, reports, timing)
        : { scope: run.scope, listings: [], problem: unsupported(connectionId) };
    },

    async pullListing({ runId, connectionId, listing }) {
      const run = await runOf(runId);
      await pull(reportsOf(connectionId), { runId, listing, progress: progressIn(run, listing) });
    },

    async awaitReport({ runId, connectionId, listings, until }) {
      const reports = reportsOf(connectionId);
      const untilMs = Date.parse(until);
      const isLate = now() >= untilMs;
      if (activityInfo().attempt > 1) await pullAnew(reports, { runId, listings });
      const missing = await reconciliations.awaited(runId);
      if (isLate || !isAwaited(missing)) return;
      throw notYet(wordsOf(missing), { delayMs: timing.reportEveryMs, untilMs, nowMs: now() });
    },

    async pullPayout({ runId, connectionId, payoutReference }) {
      const reports = reportsOf(connectionId);
      const run = await runOf(runId);
      const days = await daysOfPayout({ connectionId, payoutReference }, run);
      if (!days || !reports.kinds.includes('payouts')) return false;
      const listing: ReportListing = { kind: 'payouts', by: { days } };
      const progress = progressIn(run, listing);
      await pull(reports, { runId, listing, progress, only: payoutReference });
      return true;
    },

    async matchRun({ runId }) {
      await reconciliations.match(runId, { onChunk: () => signOfLife({ step: 'match' }) });
    },

    async pullUnsettledPayouts({ runId, connectionId, which }) {
      const reports = reportsOf(connectionId);
      let pulled = 0;
      let after: string | undefined;
      do {
        const page = await reconciliations.unsettledPayouts(runId, {
          ...{ which, limit: PAYOUTS_A_PAGE },
          ...(after !== undefined && { after }),
        });
        for (const payoutReference of page.payoutReferences) {
          if (await pullLinesOf(reports, { runId, payoutReference })) pulled += 1;
        }
        after = page.nextCursor;
      } while (after !== undefined && pulled < MOST_PAYOUTS);
      return pulled;
    },

    async finishRun({ runId, problem }) {
      // By the clock of the database, as far as it can be: its breaks have that.
      const at = isoTime(Date.now());
      const run = await reconciliations.finish(runId, { at, ...(problem && { problem }) });
      const { status, totals, finishedAt } = run;
      return {
        ...{ runId, status },
        ...(totals && { totals }),
        ...(run.problem && { problem: run.problem }),
        ...(finishedAt !== undefined && { finishedAt }),
      };
    },
  };

  function reportsOf(connectionId: string): ReportCapability {
    const reports = connections.get(connectionId)?.reports;
    if (reports) return reports;
    const { message, code } = unsupported(connectionId);
    throw ApplicationFailure.nonRetryable(message, code);
  }

  async function scopeDue(connectionId: string, today: Day): Promise<ReportScope> {
    return { days: daysDue(today, await coveredUntil(connectionId)) };
  }

  /** The last day of the last finished daily run; of a month ago or less. */
  async function coveredUntil(connectionId: string): Promise<Day | undefined> {
    const oldest = isoTime(now() - 40 * DAY_MS);
    for (let after: string | undefined; ;) {
      const page = await reconciliations.list({
        ...{ connectionId, limit: RUNS_A_PAGE },
        ...(after !== undefined && { after }),
      });
      const last = page.runs.find(isFinishedDaily);
      if (last) return 'days' in last.scope ? last.scope.days.to : undefined;
      after = page.nextCursor;
      const isOld = (page.runs.at(-1)?.requestedAt ?? '') < oldest;
      if (after === undefined || isOld) return undefined;
    }
  }

  async function runOf(runId: string): Promise<ReconciliationRun> {
    const run = await reconciliations.get(runId);
    if (run) return run;
    throw ApplicationFailure.nonRetryable(`there is no run ${runId}`, 'not_found');
  }

  interface Pulling {
    readonly runId: string;
    readonly listing: ReportListing;
    readonly progress?: ListingProgress | undefined;
    /** Of payouts, take this one alone. */
    readonly only?: string;
  }

  async function pull(reports: ReportCapability, pulling: Pulling): Promise<void> {
    const { runId, listing, only } = pulling;
    let { progress } = pulling;
    while (progress?.isComplete !== true) {
      const cursor = progress?.cursor;
      const asked = cursor === undefined ? {} : { cursor };
      const page = foundIn(await reports.page(requestOf(listing, asked)));
      progress = await reconciliations.takePage({
        ...{ runId, listing, ...asked },
        payouts: page.payouts.filter(
          (each) => (only ?? each.payoutReference) === each.payoutReference,
        ),
        lines: page.lines,
        ...(page.nextCursor !== undefined && { nextCursor: page.nextCursor }),
      });
      const { kind } = listing;
      signOfLife({ step: `list ${kind}`, pages: progress.pages, rows: progress.rows });
    }
  }

  /** Where an earlier attempt at it ended; else once more from the beginning. */
  async function pullAnew(
    reports: ReportCapability,
    { runId, listings }: { readonly runId: string; readonly listings: readonly ReportListing[] },
  ): Promise<void> {
    const run = await runOf(runId);
    for (const listing of listings) {
      const rounds = run.listings.filter((each) => isSame(each.listing, listing));
      const last = rounds.at(-1);
      const isUnderWay = last !== undefined && !last.isComplete;
      const round = isUnderWay ? last.listing.round : (last?.listing.round ?? 0) + 1;
      await pull(reports, {
        runId,
        listing: { ...listing, ...(round !== undefined && { round }) },
        ...(isUnderWay && { progress: last }),
      });
    }
  }

  /** False where the provider, which listed it, does not know it by its id. */
  async function pullLinesOf(
    reports: ReportCapability,
    { runId, payoutReference }: { readonly runId: string; readonly payoutReference: string },
  ): Promise<boolean> {
    try {
      for (const kind of ['payments', 'refunds'] as const) {
        if (!reports.kinds.includes(kind)) continue;
        await pull(reports, { runId, listing: { kind, by: { payoutReference } } });
      }
      return true;
    } catch (error) {
      if (!isAbsence(error)) throw error;
      log.warn('a payout that was listed is not known by its id', { runId, payoutReference });
      return false;
    }
  }

  /** On which days it is dated: as it was seen, or as follows from the days of its lines. */
  async function daysOfPayout(
    payout: { readonly connectionId: string; readonly payoutReference: string },
    { timeZone, requestedAt }: ReconciliationRun,
  ): Promise<DayRange | undefined> {
    const paidAt = (await store.payouts.get(payout))?.paidAt;
    if (paidAt !== undefined) {
      const day = dayOf(paidAt, timeZone);
      return { from: day, to: day };
    }
    const { maxDays } = reportsOf(payout.connectionId);
    const business = await businessDaysOf(payout);
    if (!business) return undefined;
    const days = payoutDays(business, dayOf(requestedAt, timeZone));
    const [chunk] = listingsOf(days, { kinds: ['payments'], maxDays, today: days.to });
    return chunk && 'days' in chunk.by ? chunk.by.days : undefined;
  }

  async function businessDaysOf(payout: {
    readonly connectionId: string;
    readonly payoutReference: string;
  }): Promise<DayRange | undefined> {
    let days: DayRange | undefined;
    let after: string | undefined;
    do {
      const page = await store.payouts.lines(payout, {
        limit: LINES_A_PAGE,
        ...(after !== undefined && { after }),
      });
      for (const { businessDay: day, kind } of page.lines) {
        if (kind === 'refund') continue;
        const { from, to } = days ?? { from: day, to: day };
        days = { from: day < from ? day : from, to: day > to ? day : to };
      }
      after = page.nextCursor;
      signOfLife({ step: 'days of payout' });
    } while (after !== undefined);
    return days;
  }
}

/** Also where a worker that is going down stops. */
function signOfLife(details: Readonly<Record<string, unknown>>): void {
  const context = Context.current();
  context.heartbeat(details);
  context.cancellationSignal.throwIfAborted();
}

function planOf(
  { scope, connectionId, requestedAt, timeZone }: ReconciliationRun,
  reports: ReportCapability,
  timing: Timing,
): StartedRun {
  const { kinds, maxDays } = reports;
  if (!('days' in scope)) return { scope, listings: linesOf(reports, scope) };
  const { days } = scope;
  const today = dayOf(requestedAt, timeZone);
  const violations = checkDays(days, { today, maxDays: Math.max(maxDays, MOST_DAYS_PLANNED) });
  if (violations.length > 0) return { scope, listings: [], problem: invalidRequest(violations) };
  log.info('reconciling', { connectionId, ...days });
  const completeMs = Date.parse(completeFrom(days, reports));
  return {
    scope,
    listings: listingsOf(days, { kinds, maxDays, today }),
    waitUntil: isoTime(completeMs + timing.reportLateMs),
  };
}

/** More than any run asks for, daily ones included. */
const MOST_DAYS_PLANNED = 31;

function linesOf(
  { kinds }: ReportCapability,
  by: Extract<ReportScope, { payoutReference: string }>,
): readonly ReportListing[] {
  return kinds.filter((kind) => kind !== 'payouts').map((kind) => ({ kind, by }));
}

function isFinishedDaily({ runId, status }: ReconciliationRun): boolean {
  return status === 'finished' && isDailyRun(runId);
}

function isAwaited({ lines, payments, refunds }: Awaited): boolean {
  return lines === 0 || payments > 0 || refunds > 0;
}

function wordsOf({ lines, payments, refunds }: Awaited): string {
  return lines === 0
    ? 'the report is empty so far'
    : `the report lacks ${payments} payments and ${refunds} refunds of ours so far`;
}

function progressIn(
  run: ReconciliationRun,
  { round, ...listing }: ReportListing,
): ListingProgress | undefined {
  return run.listings.find((each) => isSame(each.listing, listing) && each.listing.round === round);
}

/** Whatever the round. */
function isSame(one: ReportListing, other: ReportListing): boolean {
  return one.kind === other.kind && nameOf(one.by) === nameOf(other.by);
}

function nameOf(by: ReportScope): string {
  return 'days' in by ? `${by.days.from}/${by.days.to}` : `payout/${by.payoutReference}`;
}

function requestOf(
  { kind, by }: ReportListing,
  asked: { readonly cursor?: string },
): ReportRequest {
  if (kind !== 'payouts') return { kind, by, ...asked };
  if ('days' in by) return { kind, by, ...asked };
  throw ApplicationFailure.nonRetryable('payouts are listed by days alone', 'internal');
}

/** Retried while the provider cannot tell; for good only where it says that there is no such thing. */
function foundIn(page: ReportPage): Extract<ReportPage, { kind: 'found' }> {
  if (page.kind === 'found') return page;
  const { message, code } = page.problem;
  if (page.kind === 'absent') throw ApplicationFailure.nonRetryable(message, code, ABSENT);
  throw ApplicationFailure.create({
    ...{ message, type: code },
    ...(page.retryAfterMs !== undefined && { nextRetryDelay: page.retryAfterMs }),
  });
}

const ABSENT = 'absent at the provider';

function isAbsence(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.details?.[0] === ABSENT;
}

function unsupported(connectionId: string): Problem {
  const message = `connection ${connectionId} is not configured on this worker, or has no reports`;
  return { code: 'unsupported', message };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
