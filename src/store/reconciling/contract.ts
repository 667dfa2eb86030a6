/** What the rest of Holdfast sees of reconciliation in the store. */
import type {
  Break,
  BreakKind,
  BreakStatus,
  FoundBreak,
  ListingProgress,
  ReconciliationRequest,
  ReconciliationRun,
  ReportListing,
  StoredLine,
  StoredPayout,
} from '../../domain/reconciliation.js';
import type { Problem } from '../../domain/problem.js';
import type { Day, ReportedLine, ReportedPayout } from '../../domain/report.js';

/**
 * Runs: start → takePage for every listing, until complete → (awaited, until nothing is) → match →
 * (unknownLines, whose facts are recorded, and match again) → finish. Every step may be repeated, by
 * whoever goes on after a crash. All methods but `start` throw UnknownRun.
 */
export interface Reconciliations {
  /** Keeps a run; of the same id the first stays. */
  start(request: ReconciliationRequest): Promise<ReconciliationRun>;
  /**
   * Takes a page with all its rows, in one transaction with its progress; answers where to go on.
   * A page that was asked for with another cursor than the stored one changes nothing. Throws
   * RangeError on a payout in several currencies.
   *
   * A line is known by its provider's id: seen again, it gets what it says now (payout, amount),
   * and keeps what it said before. A payout is compared with its lines once both were listed to the
   * end: by the payout itself, which has to be taken before them, or by days, which then have to be
   * all the business days that the payouts of the run cover.
   */
  takePage(page: ReportPageTaken): Promise<ListingProgress>;
  /** What our record lets expect of the days whose listings are complete, and is in no line. */
  awaited(runId: string): Promise<Awaited>;
  /**
   * Compares every line and payout the run has seen, and everything that has an open break on the
   * connection, with ours; opens, reopens and explains breaks; books what was paid out. Goes on
   * where an earlier call was interrupted, a chunk at a time; `onChunk` is called after each.
   * Of a run that has ended it does nothing.
   */
  match(runId: string, options?: { readonly onChunk?: () => void }): Promise<void>;
  /** Lines of the run whose fact we lack: to be recorded, and matched again. By id. */
  unknownLines(runId: string, page: PageAsked): Promise<LinePage>;
  /**
   * Payouts that the run has seen, that are not the sum of their lines or have some of them twice,
   * and whose own lines it has not listed to the end. By reference. Before the run is matched only `small` ones can be told.
   */
  unsettledPayouts(runId: string, page: UnsettledAsked): Promise<UnsettledPage>;
  /** The breaks a run looked at, as it left them. Oldest first. */
  breaksFound(runId: string, page: PageAsked): Promise<FoundBreakPage>;
  /** The payouts a run saw, as it left them: those that do not tie first, at most a thousand. */
  payoutsFound(runId: string): Promise<readonly StoredPayout[]>;
  /** Ends a run, with its totals as they stand. Of one that has ended it changes nothing. */
  finish(runId: string, end: RunEnd): Promise<ReconciliationRun>;
  /** Undefined when there is no such run. */
  get(runId: string): Promise<ReconciliationRun | undefined>;
  /** Newest first. Throws InvalidCursor. */
  list(filter: RunFilter): Promise<RunPage>;
}

export interface ReportPageTaken {
  readonly runId: string;
  readonly listing: ReportListing;
  /** What the page was asked for with; absent for the first. */
  readonly cursor?: string;
  /** Of listings of payouts only. */
  readonly payouts: readonly ReportedPayout[];
  /** Of the others. */
  readonly lines: readonly ReportedLine[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

export interface Awaited {
  /** Lines seen by this run. */
  readonly lines: number;
  /** Captured by our record on those days, and in no line. */
  readonly payments: number;
  readonly refunds: number;
}

export interface RunEnd {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Why it was given up; absent: all was compared. */
  readonly problem?: Problem;
}

export interface PageAsked {
  /** The `nextCursor` of the page before. */
  readonly after?: string;
  readonly limit: number;
}

export interface LinePage {
  readonly lines: readonly StoredLine[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

export interface UnsettledAsked extends PageAsked {
  /** `small`: of as many lines as can be counted at once. `matched`: as the last match has it. */
  readonly which: 'small' | 'matched';
}

export interface UnsettledPage {
  readonly payoutReferences: readonly string[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

export interface FoundBreakPage {
  readonly breaks: readonly FoundBreak[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

export interface RunFilter extends PageAsked {
  readonly connectionId?: string;
}

export interface RunPage {
  readonly runs: readonly ReconciliationRun[];
  readonly nextCursor?: string;
}

/** What providers paid out. Throws InvalidCursor. */
export interface Payouts {
  /** Newest first. */
  list(filter: PayoutFilter): Promise<PayoutPage>;
  get(payout: PayoutKey): Promise<StoredPayout | undefined>;
  /** In the order they were first seen. */
  lines(payout: PayoutKey, page: PageAsked): Promise<LinePage>;
}

export interface PayoutKey {
  readonly connectionId: string;
  readonly payoutReference: string;
}

export interface PayoutFilter extends PageAsked {
  readonly connectionId?: string;
  readonly status?: StoredPayout['status'];
}

export interface PayoutPage {
  readonly payouts: readonly StoredPayout[];
  readonly nextCursor?: string;
}

export interface Breaks {
  /** Newest first. Throws InvalidCursor. */
  list(filter: BreakFilter): Promise<BreakPage>;
  get(breakId: string): Promise<Break | undefined>;
  /**
   * Closes an open break. One that is not open stays as it is. It stays closed while its amounts
   * are the same, and opens again when they change. Undefined when there is no such break.
   */
  resolve(resolution: {
    readonly breakId: string;
    readonly actor: string;
    readonly reason: string;
  }): Promise<Break | undefined>;
}

export interface BreakFilter extends PageAsked {
  readonly connectionId?: string;
  readonly kind?: BreakKind;
  readonly status?: BreakStatus;
  readonly businessDay?: Day;
  /** Those the run found, found again or explained. */
  readonly runId?: string;
}

export interface BreakPage {
  readonly breaks: readonly Break[];
  readonly nextCursor?: string;
}
