/**
 * Every durable name and payload: workflow and handler names, arguments, results. What stands here
 * lives as long as the longest payment; change it only by adding.
 */
import type { Fact } from '../domain/facts.js';
import type { OperationName, OperationRef, PaymentId, RefundId } from '../domain/ids.js';
import type { Money } from '../domain/money.js';
import type { Outcome } from '../domain/outcome.js';
import type {
  Attention,
  NextAction,
  OperationRecord,
  PaymentRequest,
  RepairRecord,
} from '../domain/payment.js';
import type { Problem } from '../domain/problem.js';
import type { Particulars } from '../domain/record.js';
import type { DayRange } from '../domain/report.js';
import type { Terms } from '../domain/terms.js';
import type {
  Refund,
  RefundRequest,
  RefundStanding,
  RefundStatus,
  RefundTerms,
} from '../domain/refund.js';
import type { ReconciliationRun, ReportListing, ReportScope } from '../domain/reconciliation.js';
import type { TimingProfile } from '../domain/timing.js';

export const PAYMENT_WORKFLOW = 'payment';

export const SWEEP_WORKFLOW = 'sweep';

export const PAYMENT_UPDATES = {
  /** Sent with the start; answers with the first answer of the provider. */
  open: 'open',
  capture: 'capture',
  void: 'void',
  cancel: 'cancel',
  repair: 'repair',
} as const;

export const PAYMENT_SIGNALS = { notify: 'notify' } as const;

export const PAYMENT_QUERIES = {
  /** The payment as it stands. */
  payment: 'payment',
  /** The facts it rests on. */
  facts: 'facts',
} as const;

/** Search attributes; none holds personal data, as they are never encrypted. */
export const SEARCH_ATTRIBUTES = {
  connection: 'HoldfastConnection',
  attention: 'HoldfastAttention',
} as const;

export type PaymentInput = OpenInput | AdoptInput | ResumeInput | ContinueInput;

/** A payment asked for by a backend. */
export interface OpenInput {
  readonly mode: 'open';
  readonly request: PaymentRequest;
  readonly timing?: TimingProfile;
}

/** A payment that nobody asked for here: the provider told of it. Its `origin` is `adopted`. */
export interface AdoptInput {
  readonly mode: 'adopt';
  readonly request: PaymentRequest;
  readonly providerReference: string;
  readonly timing?: TimingProfile;
}

/** An ended payment that something new is known about; its state is loaded from the store. */
export interface ResumeInput {
  readonly mode: 'resume';
  readonly paymentId: PaymentId;
  readonly timing?: TimingProfile;
}

/** The same payment in a new run, when its history has grown long. */
export interface ContinueInput {
  readonly mode: 'continue';
  readonly state: CarriedPayment;
  readonly timing?: TimingProfile;
}

/** What a payment is made of; views are derived from it. */
export interface CarriedPayment {
  readonly request: PaymentRequest;
  readonly facts: readonly Fact[];
  readonly operations: readonly OperationRecord[];
  readonly particulars: Particulars;
  readonly wishes: Wishes;
  /** See `Progress`. */
  readonly revision: number;
  readonly refused?: readonly Exclude<OperationName, 'create'>[];
  readonly attention?: Attention;
  readonly unknownSince?: string;
  readonly hasAskedAtDeadline?: boolean;
  readonly knowsHoldTerms?: boolean;
  readonly repairs?: readonly RepairRecord[];
  readonly isUnexpected?: boolean;
}

/** What has been asked of an open payment and is not done yet. */
export interface Wishes {
  readonly capture?: { readonly amount: Money };
  readonly void?: { readonly reason: string };
  readonly cancel?: { readonly reason: string };
}

/** Arguments of the updates. `amount` absent: all that is authorized. */
export interface CaptureCommand {
  readonly amount?: Money;
}

export interface ReasonCommand {
  readonly reason: string;
}

/** Argument of the signal: facts to believe, or a hint to ask. */
export interface Notice {
  readonly facts: readonly Fact[];
  readonly hint?: boolean;
}

/** Failure types of refused updates, as seen by callers of Temporal. */
export const UPDATE_REFUSALS = {
  conflict: 'conflict',
  inFlight: 'operation_in_flight',
  invalid: 'invalid_request',
  unsupported: 'unsupported',
  notFound: 'not_found',
} as const;

// --- activities -------------------------------------------------------------------------------

/** What every money activity is told. Stands in the history before the send. */
export interface Sent {
  readonly sequence: number;
  readonly key: string;
  /** How long after being scheduled an attempt may still write to the wire. */
  readonly writeWithinMs: number;
  /** To tell a run after a reset, which must look before it sends. */
  readonly firstRunId: string;
  /** Proven in this run that an earlier attempt did nothing: no need to look again. */
  readonly isResolved: boolean;
  /** Set where one activity repeats until definitive: when to give up. ISO 8601, or `never`. */
  readonly repeatUntil?: string;
  /** An earlier attempt at it may have been done: that this one is refused proves little. */
  readonly mayBeDone?: boolean;
}

/** Argument of the activities that move a payment's money. */
export interface SendInput extends OperationRef, Sent {
  readonly request: PaymentRequest;
  /** Absent for `create` and `cancel` where the payer chooses the amount. */
  readonly amount?: Money;
  readonly tip?: Money;
  readonly providerReference?: string;
}

export interface OpenedValue {
  /** Absent where the payment is to begin at the provider without us. */
  readonly providerReference?: string;
  readonly nextAction?: NextAction;
  readonly terms: Terms;
}

export type CreateResult = Outcome<OpenedValue>;
export type CommandResult = Outcome;

/** Argument of the search for evidence about an operation whose answer is missing. */
export interface ResolveInput {
  readonly sent: SendInput;
  readonly intendedAt: string;
  /** There will be no further attempt, so "it cannot be paid" is not enough. */
  readonly mustBeProof: boolean;
}

export type Resolution<Value = OpenedValue | null> =
  | { readonly kind: 'settled'; readonly outcome: Outcome<Value> }
  /** Proven to have done nothing, or impossible to be paid: may go out anew. */
  | { readonly kind: 'resend' }
  /** Nobody can be asked; only a notification, a report or a person can tell. */
  | { readonly kind: 'wait' };

/** Argument of asking the provider for the truth. */
export interface AskInput {
  readonly request: PaymentRequest;
  readonly providerReference?: string;
  /** `now`: whatever the answer is. `news`: asked on and on until there is a new fact. */
  readonly until: 'now' | 'news';
  readonly knownFactIds: readonly string[];
  readonly payerDeadline?: string;
  /** `news` only: report back by then, even with nothing. ISO 8601. */
  readonly reportBy?: string;
}

export interface AskResult {
  readonly facts: readonly Fact[];
  readonly terms?: Terms;
}

/** Argument of the question whether a provider is silent on plan. */
export interface SilenceInput {
  readonly connectionId: string;
  /** Epoch milliseconds, by the workflow's clock. */
  readonly atMs: number;
}

export interface ExpectedSilence {
  /** Epoch milliseconds; absent: silence means what it always does. */
  readonly untilMs?: number;
}

// --- refund -----------------------------------------------------------------------------------

export const REFUND_WORKFLOW = 'refund';

export const REFUND_UPDATES = {
  /** Sent with the start; answers with the first answer of the provider. */
  open: 'open',
  cancel: 'cancel',
  repair: 'repair',
} as const;

/** Somebody says that there is news of it; the provider is asked. */
export const REFUND_SIGNALS = { hint: 'hint' } as const;

export const REFUND_QUERIES = { refund: 'refund' } as const;

export type RefundInput = OpenRefundInput | ResumeRefundInput;

export interface OpenRefundInput {
  readonly mode: 'open';
  readonly request: RefundRequest;
  readonly timing?: TimingProfile;
}

/** A refund that goes on from what the store knows of it. */
export interface ResumeRefundInput {
  readonly mode: 'resume';
  readonly refundId: RefundId;
  readonly timing?: TimingProfile;
}

/** What became of setting an amount aside: `rejected`, or as the store has it by now. */
export type ReserveResult = StoredRefund;

/** Argument of the activities that move a refund's money. */
export interface RefundSendInput extends Sent {
  readonly refundId: RefundId;
  readonly connectionId: string;
  readonly request: RefundRequest;
  readonly amount: Money;
  readonly paymentReference: string;
}

/** As the providers' contract has it: its id there, and how it stands. */
export interface RefundOpenedValue {
  readonly providerReference: string;
  readonly standing: RefundStanding;
}

export type RefundResult = Outcome<RefundOpenedValue>;

export interface ResolveRefundInput {
  readonly sent: RefundSendInput;
  readonly intendedAt: string;
  readonly mustBeProof: boolean;
}

export type RefundResolution = Resolution<RefundOpenedValue>;

/** How it stands; absent where the provider was asked once and could not tell. */
export interface RefundAnswer {
  readonly standing: RefundStanding;
}

/** Argument of asking the provider how a refund stands. */
export interface AskRefundInput {
  readonly connectionId: string;
  readonly paymentReference: string;
  readonly providerReference: string;
  readonly amount: Money;
  /** `now`: whatever the answer is. `news`: asked on and on until it stands otherwise. */
  readonly until: 'now' | 'news';
  readonly known: RefundStatus;
}

/** What is stored of a refund, to go on from. */
export interface StoredRefund {
  readonly refund: Refund;
  readonly revision: number;
  readonly request: RefundRequest;
  /** Absent while nothing is set aside, and where it was rejected. */
  readonly terms?: RefundTerms;
}

// --- sweep ------------------------------------------------------------------------------------

/** Argument of the workflow `sweep`, one for each connection at a time. */
export interface SweepInput {
  readonly connectionId: string;
  readonly timing?: TimingProfile;
}

export interface SweepResult {
  /** Payments begun at the provider from then until then. ISO 8601, UTC. */
  readonly from: string;
  readonly to: string;
  readonly found: number;
  /** How many of them told something new. */
  readonly news: number;
}

/** The id of a connection's sweep, and of its schedule. */
export function sweepId(connectionId: string): string {
  return `${SWEEP_WORKFLOW}/${connectionId}`;
}

// --- reconciliation ---------------------------------------------------------------------------

export const RECONCILIATION_WORKFLOW = 'reconciliation';

/** Argument of the workflow `reconciliation`. */
export interface ReconciliationInput {
  readonly connectionId: string;
  /** Absent: what is due today. */
  readonly scope?: ReportScope;
  readonly timing?: TimingProfile;
}

/** How a run ended. All else about it is in the store. */
export type ReconciliationResult = Pick<
  ReconciliationRun,
  'runId' | 'status' | 'totals' | 'problem' | 'finishedAt'
>;

/** Names a run to its activities. */
export interface RunRef {
  readonly runId: string;
  readonly connectionId: string;
}

export interface StartRunInput extends RunRef {
  readonly scope?: ReportScope;
}

/** What a run has to do. */
export interface StartedRun {
  readonly scope: ReportScope;
  readonly listings: readonly ReportListing[];
  /** Until when data that is late is waited for. ISO 8601; absent: it is as complete as it gets. */
  readonly waitUntil?: string;
  /** Why there is nothing to be done. */
  readonly problem?: Problem;
}

export interface PullInput extends RunRef {
  readonly listing: ReportListing;
}

export interface AwaitReportInput extends RunRef {
  readonly listings: readonly ReportListing[];
  readonly until: string;
}

export interface PayoutInput extends RunRef {
  readonly payoutReference: string;
}

export interface UnsettledInput extends RunRef {
  /** `small`: what can be told before the run is matched. */
  readonly which: 'small' | 'matched';
}

export interface FinishRunInput extends RunRef {
  readonly problem?: Problem;
}

/** The id of a connection's schedule of reconciliations, and of the runs it starts. */
export function reconciliationScheduleId(connectionId: string): string {
  return `${RECONCILIATION_WORKFLOW}/${connectionId}/daily`;
}

/** The id of what compares these days, or this payout: one at a time. */
export function reconciliationId(connectionId: string, scope: ReportScope): string {
  const name = 'days' in scope ? nameOfDays(scope.days) : `payout/${scope.payoutReference}`;
  return `${RECONCILIATION_WORKFLOW}/${connectionId}/${name}`;
}

function nameOfDays({ from, to }: DayRange): string {
  return from === to ? from : `${from}..${to}`;
}
