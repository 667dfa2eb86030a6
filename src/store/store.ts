import { sql } from 'kysely';
import type { Fact } from '../domain/facts.js';
import type { PaymentId } from '../domain/ids.js';
import type { Payment } from '../domain/payment.js';
import type { PaymentRecord, StoredPayment } from '../domain/record.js';
import type { Database } from './dialects/dialect.js';
import { openEmbedded } from './dialects/embedded.js';
import { openPostgres } from './dialects/postgres.js';
import { hasFacts } from './fact-rows.js';
import { createExpectations, type Expectations } from './expectations.js';
import { createInbox, type Inbox } from './inbox.js';
import { createLedger, type Ledger } from './ledger.js';
import { createLoyaltyRegistrations, type LoyaltyRegistrations } from './loyalty.js';
import { migrateToLatest } from './migrations/migrate.js';
import {
  getPayment,
  listPayments,
  loadPayment,
  type PaymentFilter,
  type PaymentPage,
} from './payment-queries.js';
import { createPayers, type Payers } from './payers.js';
import { findPaymentId, type ProviderObject } from './provider-objects.js';
import { createBreaks } from './reconciling/breaks.js';
import type { Breaks, Payouts, Reconciliations } from './reconciling/contract.js';
import { createPayouts } from './reconciling/payouts.js';
import { createReconciliations } from './reconciling/reconciliations.js';
import { recordFacts, recordPayment } from './recording.js';
import type { KeyRing } from '../transport/keyring.js';
import { createRefunds, type Refunds } from './refunds.js';
import { createRequests, type Requests } from './requests.js';
import { sealedInbox } from './sealed-inbox.js';
import { createSweeps, type Sweeps } from './sweeps.js';

export type StoreSettings =
  | { readonly kind: 'postgres'; readonly url: string; readonly maxConnections?: number }
  /** For trying out. `memory` as directory keeps nothing. */
  | { readonly kind: 'embedded'; readonly directory: string };

/**
 * What outlives Temporal's history. Every method throws StoreUnavailable within seconds while the
 * database cannot serve, and can then be called again. Times are given back in UTC with
 * milliseconds; of one payment all writers may write, in any order.
 */
export interface Store {
  /** Brings the tables up to date. May run twice, and in several processes at once. */
  migrate(): Promise<void>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  /** Waits for what is running, then frees connections and directory. May be called again. */
  close(): Promise<void>;

  /**
   * Records a payment in one transaction, under its row's lock: the request if it is new (the first
   * stays), facts by their ids (the first report stays), of each operation what holds (see
   * `holdingOperation`), progress and particulars of the higher revision (a provider's reference,
   * once known, is never lost). Status and amounts are then derived from all facts. The same record
   * twice, or an older one later, changes nothing.
   */
  recordPayment(record: PaymentRecord): Promise<Payment>;
  /** The same for facts alone, from whatever source. Undefined when there is no such payment. */
  recordFacts(paymentId: PaymentId, facts: readonly Fact[]): Promise<Payment | undefined>;
  /** Whether all of these facts are recorded. */
  hasFacts(paymentId: PaymentId, factIds: readonly string[]): Promise<boolean>;
  getPayment(paymentId: PaymentId): Promise<Payment | undefined>;
  /** All that was recorded, to resume the payment from. Facts in the order of recording. */
  loadPayment(paymentId: PaymentId): Promise<StoredPayment | undefined>;
  /** Newest request first. Throws InvalidCursor. */
  listPayments(filter: PaymentFilter): Promise<PaymentPage>;
  /** Whose object this is; of several claims the first. */
  findPaymentId(object: ProviderObject): Promise<PaymentId | undefined>;

  readonly refunds: Refunds;
  readonly ledger: Ledger;
  readonly reconciliations: Reconciliations;
  readonly payouts: Payouts;
  readonly breaks: Breaks;
  readonly inbox: Inbox;
  readonly requests: Requests;
  readonly expectations: Expectations;
  readonly sweeps: Sweeps;
  readonly payers: Payers;
  readonly loyalty: LoyaltyRegistrations;
}

/**
 * Opens a store; its tables are made by `migrate`. A server that is down is no error here: the
 * first use connects. An embedded store throws StoreLocked while another process has it.
 *
 * @param keys encrypt raw notifications and what is known of payers; without them notifications
 *   are kept as they came, and nothing of payers is
 */
export async function openStore(settings: StoreSettings, keys?: KeyRing): Promise<Store> {
  const database =
    settings.kind === 'postgres' ? openPostgres(settings) : await openEmbedded(settings);
  return storeOver(database, keys);
}

function storeOver(database: Database, keys: KeyRing | undefined): Store {
  const { db } = database;
  const inbox = createInbox(db);
  return {
    migrate: () => database.withPatience(migrateToLatest),
    ping: async () => void (await sql`select 1`.execute(db)),
    close: () => database.close(),
    recordPayment: (record) => recordPayment(db, record),
    recordFacts: (paymentId, facts) => recordFacts(db, paymentId, facts),
    hasFacts: (paymentId, factIds) => hasFacts(db, paymentId, factIds),
    getPayment: (paymentId) => getPayment(db, paymentId),
    loadPayment: (paymentId) => loadPayment(db, paymentId),
    listPayments: (filter) => listPayments(db, filter),
    findPaymentId: (object) => findPaymentId(db, object),
    refunds: createRefunds(db),
    ledger: createLedger(db),
    reconciliations: createReconciliations(db),
    payouts: createPayouts(db),
    breaks: createBreaks(db),
    inbox: sealedInbox(inbox, { db, keys }),
    requests: createRequests(db),
    expectations: createExpectations(db),
    sweeps: createSweeps(db),
    payers: createPayers(db, keys),
    loyalty: createLoyaltyRegistrations({ db, keys }),
  };
}
