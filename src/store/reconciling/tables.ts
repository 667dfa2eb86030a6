import type { ColumnType, Generated, Selectable } from 'kysely';
import type {
  BreakEvent,
  BreakExplanation,
  BreakKind,
  BreakResolution,
  BreakStatus,
  LineVerdict,
  ReportListing,
  ReportScope,
  RunStatus,
  RunTotals,
} from '../../domain/reconciliation.js';
import type { Problem } from '../../domain/problem.js';
import type { ReportedLine, ReportedPayout } from '../../domain/report.js';

type Json<Value> = ColumnType<Value, string, string>;
type OptionalJson<Value> = ColumnType<Value | null, string | null, string | null>;

export interface ReconciliationsTable {
  run_id: string;
  ordinal: Generated<string>;
  connection_id: string;
  scope: Json<ReportScope>;
  time_zone: string;
  has_payouts: boolean;
  requested_at: ColumnType<Date, string, never>;
  status: Generated<RunStatus>;
  /** Where matching goes on; null while none is under way. */
  match_phase: string | null;
  match_after: string | null;
  totals: OptionalJson<RunTotals>;
  problem: OptionalJson<Problem>;
  finished_at: ColumnType<Date | null, string | null, string | null>;
  recorded_at: Generated<Date>;
}

export interface ReportListingsTable {
  run_id: string;
  listing: string;
  ordinal: Generated<string>;
  kind: ReportListing['kind'];
  scope: Json<ReportScope & Pick<ReportListing, 'round'>>;
  cursor: string | null;
  pages: Generated<number>;
  rows: Generated<string>;
  is_complete: Generated<boolean>;
}

/** Written by SQL alone, as the following are. A `date` is read as text by casting it. */
export interface ReportLinesTable {
  line_id: string;
  connection_id: string;
  kind: ReportedLine['kind'];
  /** The provider's id of it: of the refund, or of the payment. */
  reference: string;
  provider_reference: string;
  refund_reference: string | null;
  payout_reference: string | null;
  amount_minor: string;
  currency: string;
  occurred_at: Date;
  merchant_reference: string | null;
  description: string | null;
  payouts: readonly string[];
  earlier: readonly StoredEarlierLine[];
  /** The listing it was seen in last, and how often there. */
  listing: string;
  listing_count: number;
  repeats: number;
  /** The sort of listing that repeated it: `days` or `payout`. */
  repeated_in: string | null;
  verdict: LineVerdict;
  payment_id: string | null;
  refund_id: string | null;
  ours_minor: string | null;
  ours_currency: string | null;
  first_run: string;
  last_run: string;
}

export interface StoredEarlierLine {
  readonly minor: string;
  readonly currency: string;
  readonly payout: string | null;
  readonly run: number;
}

export interface PayoutsTable {
  payout_id: string;
  connection_id: string;
  payout_reference: string;
  status: ReportedPayout['status'];
  paid_at: Date | null;
  gathered_by: string | null;
  account: string | null;
  payments_count: string;
  payments_minor: string;
  refunds_count: string;
  refunds_minor: string;
  amount_minor: string;
  currency: string;
  /** Whether its own payments, or refunds, were listed to the end. */
  payments_listed: boolean;
  refunds_listed: boolean;
  /** Whether all its lines are here, as far as listings can tell. */
  is_listed: boolean;
  payment_lines: string;
  payment_lines_minor: string;
  refund_lines: string;
  refund_lines_minor: string;
  /** The run that is counting its lines. */
  counting_run: string | null;
  first_run: string;
  last_run: string;
}

export interface BreaksTable {
  break_id: string;
  ordinal: string;
  connection_id: string;
  kind: BreakKind;
  subject: 'payment' | 'refund' | 'payout';
  reference: string;
  status: BreakStatus;
  payment_id: string | null;
  refund_id: string | null;
  provider_reference: string | null;
  refund_reference: string | null;
  payout_reference: string | null;
  ours_minor: string | null;
  ours_currency: string | null;
  theirs_minor: string | null;
  theirs_currency: string | null;
  explanation: OptionalJson<BreakExplanation>;
  resolution: OptionalJson<BreakResolution>;
  history: Json<readonly StoredBreakEvent[]>;
  first_run: string;
  last_run: string;
}

export interface StoredBreakEvent extends Omit<BreakEvent, 'ours' | 'theirs'> {
  readonly oursMinor?: string | null;
  readonly oursCurrency?: string | null;
  readonly theirsMinor?: string | null;
  readonly theirsCurrency?: string | null;
}

/** A break as a run left it. */
export interface RunBreaksTable {
  run: string;
  break_id: string;
  status: BreakStatus;
  ours_minor: string | null;
  ours_currency: string | null;
  theirs_minor: string | null;
  theirs_currency: string | null;
  explanation: OptionalJson<BreakExplanation>;
  resolution: OptionalJson<BreakResolution>;
}

/** A payout as a run left it. */
export interface RunPayoutsTable {
  run: string;
  ordinal: string;
  payout: Json<unknown>;
}

/** The tables of reconciliation. */
export interface ReconcilingTables {
  reconciliations: ReconciliationsTable;
  report_listings: ReportListingsTable;
  report_lines: ReportLinesTable;
  payouts: PayoutsTable;
  breaks: BreaksTable;
  run_breaks: RunBreaksTable;
  run_payouts: RunPayoutsTable;
}

export type RunRow = Selectable<ReconciliationsTable>;
export type ListingRow = Selectable<ReportListingsTable>;
