import type { ColumnType, Generated, Selectable } from 'kysely';
import type { Fact, FactKind, FactSource } from '../domain/facts.js';
import type { OperationName } from '../domain/ids.js';
import type { Account, LedgerPhase } from '../domain/ledger.js';
import type {
  Attention,
  CaptureMode,
  DeadlinePolicy,
  NextAction,
  OperationRecord,
  OperationState,
  ProviderOptions,
  RepairRecord,
} from '../domain/payment.js';
import type { Problem } from '../domain/problem.js';
import type { RefundAttention, RefundRepairRecord, RefundStatus } from '../domain/refund.js';
import type { Flag, PaymentStatus } from '../domain/reducer.js';
import type { Subject } from '../domain/subject.js';
import type { Terms } from '../domain/terms.js';
import type { ReconcilingTables } from './reconciling/tables.js';

/** Written as ISO 8601, read as Date. */
type Time = ColumnType<Date, string, string>;
type OptionalTime = ColumnType<Date | null, string | null, string | null>;
/** Written as JSON text, read as value. */
type Json<Value> = ColumnType<Value, string, string>;
type OptionalJson<Value> = ColumnType<Value | null, string | null, string | null>;
/** int8: read as string by both drivers. */
type BigInteger = ColumnType<string, number, number>;

export interface PaymentsTable {
  payment_id: string;
  // The request; never changed after the insert.
  connection_id: string;
  merchant_reference: string;
  capture_mode: CaptureMode;
  currency: string;
  requested_minor: string | null;
  origin: 'adopted' | null;
  at_deadline: DeadlinePolicy | null;
  repairs: OptionalJson<readonly RepairRecord[]>;
  description: string | null;
  return_url: string | null;
  requested_capture_before: OptionalTime;
  options: OptionalJson<ProviderOptions>;
  requested_at: Time;
  // Derived from all facts.
  status: Generated<PaymentStatus>;
  authorized_minor: Generated<string>;
  captured_minor: Generated<string>;
  voided_minor: Generated<string>;
  refunded_minor: Generated<string>;
  flags: ColumnType<readonly Flag[], string | undefined, string>;
  problem: OptionalJson<Problem>;
  /** Of the object that carries the payment. */
  provider_reference: string | null;
  needs_attention: Generated<boolean>;
  // From the record with the highest revision.
  revision: ColumnType<string, number | undefined, number>;
  ended: Generated<boolean>;
  next_action: OptionalJson<NextAction>;
  terms: OptionalJson<Terms>;
  capture_before: OptionalTime;
  attention: OptionalJson<Attention>;
  unknown_since: OptionalTime;
  /** From the highest revision that stated one. */
  stated_reference: string | null;
  stated_reference_revision: ColumnType<string, number | undefined, number>;
  recorded_at: Generated<Date>;
}

export interface FactsTable {
  payment_id: string;
  fact_id: string;
  /** The order of insertion. */
  ordinal: Generated<string>;
  kind: FactKind;
  object: string;
  part: string | null;
  amount_minor: string | null;
  amount_currency: string | null;
  tip_minor: string | null;
  tip_currency: string | null;
  problem: OptionalJson<Problem>;
  occurred_at: Time;
  source: FactSource;
  recorded_at: Generated<Date>;
}

export interface OperationsTable {
  payment_id: string;
  operation: OperationName;
  sequence: number;
  key: string;
  state: OperationState;
  amount_minor: string | null;
  amount_currency: string | null;
  intended_at: Time;
  settled_at: OptionalTime;
  problem: OptionalJson<Problem>;
  /** Of the record that this state came with. */
  revision: BigInteger;
}

export interface ProviderObjectsTable {
  connection_id: string;
  provider_reference: string;
  payment_id: string;
  ordinal: Generated<string>;
}

export type InboxState = 'undelivered' | 'delivered' | 'unmatched';

/** `facts`: believed as they are. `hint`: wakes the payment, which asks the provider. */
export type Verdict = 'facts' | 'hint';

export interface InboxTable {
  id: Generated<string>;
  connection_id: string;
  event_id: string;
  payment_id: string | null;
  provider_reference: string | null;
  verdict: Verdict;
  facts: Json<readonly Fact[]>;
  subject: OptionalJson<Subject>;
  headers: Json<Readonly<Record<string, string>>>;
  body: ColumnType<Uint8Array, Uint8Array, Uint8Array>;
  received_at: Time;
  last_received_at: Time;
  deliveries: Generated<number>;
  state: Generated<InboxState>;
  attempts: Generated<number>;
  next_attempt_at: Generated<Date>;
  last_reason: string | null;
  recorded_at: Generated<Date>;
}

export interface RefusalsTable {
  connection_id: string;
  reason: string;
  day: ColumnType<string, string, never>;
  count: BigInteger;
}

export interface ExpectationsTable {
  connection_id: string;
  /** '' where there is none; so are the next two. */
  reference: string;
  description: string;
  amount_minor: string;
  amount_currency: string;
  payment_id: string;
  ordinal: Generated<string>;
  recorded_at: Generated<Date>;
}

export interface SweepsTable {
  connection_id: string;
  swept_until: Time;
}

export interface RequestsTable {
  client: string;
  key: string;
  fingerprint: string;
  token: string;
  lease_until: Time;
  status: number | null;
  headers: OptionalJson<Readonly<Record<string, string>>>;
  body: ColumnType<Uint8Array | null, Uint8Array | null, Uint8Array | null>;
  created_at: Generated<Date>;
}

/** Whoever pays, each with a key. Erased: `erased_at` is set and the key is gone. */
export interface PayersTable {
  subject: string;
  key_id: string | null;
  sealed_key: ColumnType<Uint8Array | null, Uint8Array | null, Uint8Array | null>;
  erased_at: OptionalTime;
  created_at: Generated<Date>;
}

export interface PayerPaymentsTable {
  payment_id: string;
  subject: string;
  /** Of the payer's data as JSON, sealed with the payer's key. */
  ciphertext: string | null;
  updated_at: ColumnType<Date, string | undefined, string>;
}

export type LoyaltyState = 'open' | 'done';

export interface LoyaltyRegistrationsTable {
  id: Generated<string>;
  connection_id: string;
  provider_reference: string;
  /** Keyed, of the member's account. */
  member_hash: string;
  payment_id: string | null;
  amount_minor: string;
  amount_currency: string;
  /** Member and evidence as JSON, sealed; empty once the payer was erased. */
  content: ColumnType<Uint8Array, Uint8Array, Uint8Array>;
  state: Generated<LoyaltyState>;
  /** As JSON, sealed. */
  result: ColumnType<Uint8Array | null, Uint8Array | null | undefined, Uint8Array | null>;
  received_at: Time;
  done_at: ColumnType<Date | null, undefined, string>;
  recorded_at: Generated<Date>;
}

export interface RefundsTable {
  refund_id: string;
  payment_id: string;
  connection_id: string | null;
  payment_reference: string | null;
  amount_minor: string | null;
  amount_currency: string | null;
  description: string | null;
  status: RefundStatus;
  provider_reference: string | null;
  problem: OptionalJson<Problem>;
  attention: OptionalJson<RefundAttention>;
  unknown_since: OptionalTime;
  operation: OptionalJson<OperationRecord<'refund'>>;
  repairs: OptionalJson<readonly RefundRepairRecord[]>;
  ended: ColumnType<boolean, boolean | undefined, boolean>;
  revision: ColumnType<string, number | undefined, number>;
  requested_at: Time;
  recorded_at: Generated<Date>;
}

/** Rows are only ever added. */
export interface LedgerEntriesTable {
  entry_id: string;
  ordinal: Generated<string>;
  connection_id: string;
  phase: LedgerPhase;
  debit: Account;
  credit: Account;
  amount_minor: string;
  currency: string;
  hold: string | null;
  /** Of entries that follow from facts and refunds. */
  slot: string | null;
  payment_id: string | null;
  /** Of entries that follow from payouts. */
  payout_reference: string | null;
  recorded_at: Generated<Date>;
}

export interface Tables extends ReconcilingTables {
  payments: PaymentsTable;
  refunds: RefundsTable;
  ledger_entries: LedgerEntriesTable;
  facts: FactsTable;
  operations: OperationsTable;
  provider_objects: ProviderObjectsTable;
  inbox: InboxTable;
  refusals: RefusalsTable;
  api_requests: RequestsTable;
  expectations: ExpectationsTable;
  sweeps: SweepsTable;
  payers: PayersTable;
  payer_payments: PayerPaymentsTable;
  loyalty_registrations: LoyaltyRegistrationsTable;
}

export type PaymentRow = Selectable<PaymentsTable>;
export type FactRow = Selectable<FactsTable>;
export type RefundRow = Selectable<RefundsTable>;
export type OperationRow = Selectable<OperationsTable>;
