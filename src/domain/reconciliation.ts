/** Comparing what a provider reports with what we know: runs, and the differences they find. */
import type { PaymentId, RefundId } from './ids.js';
import type { Money } from './money.js';
import type { Problem } from './problem.js';
import type { Day, DayRange, ReportedLine, ReportedPayout } from './report.js';

const DAILY_PREFIX = 'daily_';

/** A run's id: what is done day after day is told from what somebody asked for. */
export function reconciliationRunId(of: {
  readonly workflowRunId: string;
  readonly isDaily: boolean;
}): string {
  return of.isDaily ? `${DAILY_PREFIX}${of.workflowRunId}` : of.workflowRunId;
}

export function isDailyRun(runId: string): boolean {
  return runId.startsWith(DAILY_PREFIX);
}

/** What a run, or one listing of it, is about. */
export type ReportScope = { readonly days: DayRange } | { readonly payoutReference: string };

/** One listing at the provider, page by page. */
export interface ReportListing {
  readonly kind: 'payouts' | 'payments' | 'refunds';
  /** Of payouts the days they are dated, of the rest business days. */
  readonly by: ReportScope;
  /** Of one that is listed anew, as it was not complete: from 1. */
  readonly round?: number;
}

/** How far a listing has been taken into the store. */
export interface ListingProgress {
  readonly listing: ReportListing;
  /** Where to go on; absent before the first page and when it is complete. */
  readonly cursor?: string;
  readonly pages: number;
  readonly rows: number;
  readonly isComplete: boolean;
}

/** A run as it is asked for. */
export interface ReconciliationRequest {
  /** Made by the caller: a repeat with the same id is the same run. */
  readonly runId: string;
  readonly connectionId: string;
  readonly scope: ReportScope;
  /** Where the provider's business days begin and end: an IANA time zone. */
  readonly timeZone: string;
  /** Whether the provider tells of payouts: else nothing is late. */
  readonly hasPayouts: boolean;
  /** ISO 8601, UTC. */
  readonly requestedAt: string;
}

/** `failed`: given up before all was compared; `problem` says why. */
export const RUN_STATUSES = ['running', 'finished', 'failed'] as const;

export type RunStatus = (typeof RUN_STATUSES)[number];

export interface ReconciliationRun extends ReconciliationRequest {
  readonly status: RunStatus;
  readonly listings: readonly ListingProgress[];
  /** As they stood when it finished. */
  readonly totals?: RunTotals;
  readonly problem?: Problem;
  readonly finishedAt?: string;
}

/** How many, and their sum in each currency. */
export interface Tally {
  readonly count: number;
  readonly amounts: readonly Money[];
}

export interface RunTotals {
  readonly payments: { readonly seen: Tally; readonly matched: Tally };
  readonly refunds: { readonly seen: Tally; readonly matched: Tally };
  readonly payouts: { readonly seen: Tally; readonly succeeded: Tally };
  /** Those it found, found again or explained, by kind; sums of differences without their sign. */
  readonly breaks: readonly BreakTally[];
  /** The differences of open breaks without their sign, in each currency. */
  readonly unexplained: readonly Money[];
}

export interface BreakTally {
  readonly kind: BreakKind;
  readonly open: Tally;
  readonly explained: Tally;
  readonly closed: Tally;
}

/**
 * - `missing_here`: reported, and no payment or refund of ours. `missing_at_provider`: the reverse,
 *   though the report of its day is complete.
 * - `status_differs`: reported as done; ours is not captured, or not refunded.
 * - `duplicate`: reported twice, or in two payouts.
 * - `total_differs`: a payout that is not its payments less its refunds, or not its own lines.
 * - `paid_out_late`: captured, and in no payout five working days after its business day.
 */
export const BREAK_KINDS = [
  'missing_here',
  'missing_at_provider',
  'amount_differs',
  'currency_differs',
  'status_differs',
  'duplicate',
  'total_differs',
  'payout_failed',
  'paid_out_late',
] as const;

export type BreakKind = (typeof BREAK_KINDS)[number];

/** `explained`: later data made it vanish. `closed`: a person looked at it. Either may reopen. */
export const BREAK_STATUSES = ['open', 'explained', 'closed'] as const;

export type BreakStatus = (typeof BREAK_STATUSES)[number];

/** One difference between a provider's report and ours. */
export interface Break {
  /** Derived from connection, kind and subject: the same difference is the same break. */
  readonly breakId: string;
  readonly connectionId: string;
  readonly kind: BreakKind;
  readonly status: BreakStatus;
  readonly subject: 'payment' | 'refund' | 'payout';
  /** Ours; absent where there is none. */
  readonly paymentId?: PaymentId;
  readonly refundId?: RefundId;
  /** The provider's. */
  readonly providerReference?: string;
  readonly refundReference?: string;
  readonly payoutReference?: string;
  /** What we know of; of a payout, what its lines or its own totals come to. */
  readonly ours?: Money;
  /** What the provider reports. */
  readonly theirs?: Money;
  /** Theirs less ours; absent where the currencies differ. */
  readonly difference?: Money;
  readonly businessDay: Day;
  /** What made it vanish: while it is `explained`. */
  readonly explanation?: BreakExplanation;
  /** Who closed it and why: while it is `closed`. */
  readonly resolution?: BreakResolution;
  /** Its life so far, oldest first. */
  readonly history: readonly BreakEvent[];
}

/** A break as a run left it. */
export type FoundBreak = Omit<Break, 'history'>;

/** `by`: what came later. */
export interface BreakExplanation {
  readonly by: ExplanationKind;
  readonly runId: string;
  /** ISO 8601. */
  readonly at: string;
}

/**
 * - `our_record`: ours says the same by now.
 * - `report`: the provider reports it, and as we know it, by now.
 * - `payout`: it has been paid out.
 */
export type ExplanationKind = 'our_record' | 'report' | 'payout';

export interface BreakResolution {
  readonly actor: string;
  readonly reason: string;
  /** ISO 8601. */
  readonly at: string;
}

/** A change of status, and what it stood at. */
export interface BreakEvent {
  readonly status: BreakStatus;
  readonly at: string;
  /** Absent where a person did it. */
  readonly runId?: string;
  readonly explanation?: ExplanationKind;
  readonly actor?: string;
  readonly reason?: string;
  readonly ours?: Money;
  readonly theirs?: Money;
}

/** How a reported line compares with ours. `unmatched`: not looked at yet. */
export const LINE_VERDICTS = [
  'unmatched',
  'matched',
  'missing_here',
  'status_differs',
  'amount_differs',
  'currency_differs',
] as const;

export type LineVerdict = (typeof LINE_VERDICTS)[number];

/** A reported line as kept. */
export interface StoredLine extends ReportedLine {
  /** The store's own id of it. */
  readonly lineId: string;
  readonly connectionId: string;
  readonly businessDay: Day;
  readonly verdict: LineVerdict;
  /** Whose it is, where we know it. */
  readonly paymentId?: PaymentId;
  readonly refundId?: RefundId;
  /** What we know of it. */
  readonly ours?: Money;
  /** How often too many it was in the listing it was last seen in. */
  readonly repeats: number;
  /** Every payout it has been seen in, if any. */
  readonly payouts: readonly string[];
  /** What it said before, oldest first. */
  readonly earlier: readonly EarlierLine[];
  readonly firstSeenRunId: string;
  readonly lastSeenRunId: string;
}

/** What a line, seen again, no longer says. */
export interface EarlierLine {
  readonly amount: Money;
  readonly payoutReference?: string;
  /** The run that saw it last. */
  readonly runId: string;
}

/** A payout as kept. */
export interface StoredPayout extends ReportedPayout {
  readonly connectionId: string;
  readonly firstSeenRunId: string;
  readonly lastSeenRunId: string;
  /** Of its lines that we have. */
  readonly lines: { readonly payments: Tally; readonly refunds: Tally };
}
