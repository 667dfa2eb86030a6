import { sql, type Kysely, type Transaction, type Updateable } from 'kysely';
import { movesMoney } from '../domain/booking.js';
import { mergeFacts, type Fact, type FactKind } from '../domain/facts.js';
import type { PaymentId } from '../domain/ids.js';
import type { Payment, PaymentRequest, RepairRecord } from '../domain/payment.js';
import { askedOf, paymentOf } from '../domain/payment-view.js';
import { isDismissed } from '../domain/repairs.js';
import type { PaymentRecord } from '../domain/record.js';
import type { PaymentRow, PaymentsTable, Tables } from './database.js';
import { insertFacts, selectFacts } from './fact-rows.js';
import { bookPayment } from './ledger.js';
import { mergeOperations, selectStatedOperations, type StatedOperation } from './operations.js';
import { toPayment, toRequest } from './payment-rows.js';
import { indexObjects } from './provider-objects.js';
import { present, toJson, toJsonOrNull, toTime, toTimeOrNull } from './values.js';

/** Kinds of facts that are about no object of the provider's. */
const HOLDFASTS_OWN: readonly FactKind[] = ['rejected', 'not_started', 'expected'];

type Changes = Updateable<PaymentsTable>;

/** Records all of it in one transaction, or nothing. See `Store.recordPayment`. */
export function recordPayment(db: Kysely<Tables>, record: PaymentRecord): Promise<Payment> {
  const { request, facts, operations, particulars, progress } = record;
  const { revision } = progress;
  return db.transaction().execute(async (trx) => {
    const known = await insertOrLock(trx, request);
    const { row } = known;
    const changes = { ...progressChanges(row, record), ...referenceChanges(row, record) };
    const { providerReference } = particulars;
    const isNamed = providerReference === undefined || providerReference === row.stated_reference;
    const references = isNamed ? [] : [providerReference];
    const stated = operations.map((operation) => ({ record: operation, revision }));
    const { repairs } = isNewer(row, record) ? progress : {};
    const news = { facts, operations: stated, changes, references };
    return addToKnown(trx, known, { ...news, ...(repairs && { repairs }) });
  });
}

/** Records facts on a payment that exists; undefined when there is none. */
export function recordFacts(
  db: Kysely<Tables>,
  paymentId: PaymentId,
  facts: readonly Fact[],
): Promise<Payment | undefined> {
  return db.transaction().execute(async (trx) => {
    const row = await lockPayment(trx, paymentId);
    if (!row) return undefined;
    const known = await loadParts(trx, row);
    return addToKnown(trx, known, { facts, operations: [], changes: {}, references: [] });
  });
}

/** A payment whose row a transaction has locked, for what is kept beside it. */
export interface LockedPayment {
  readonly paymentId: PaymentId;
  readonly connectionId: string;
  readonly currency: string;
  /** As the reducer wants it. */
  readonly asked: ReturnType<typeof askedOf>;
  readonly facts: readonly Fact[];
  /** Records further facts of it, and books what they and its refunds come to. */
  settle(facts: readonly Fact[]): Promise<void>;
}

/** Does `work` in one transaction, under the payment's row lock; undefined when there is none. */
export function withLockedPayment<T>(
  db: Kysely<Tables>,
  paymentId: PaymentId,
  work: (trx: Transaction<Tables>, payment: LockedPayment) => Promise<T>,
): Promise<T | undefined> {
  return db.transaction().execute(async (trx) => {
    const row = await lockPayment(trx, paymentId);
    if (!row) return undefined;
    const known = await loadParts(trx, row);
    return work(trx, {
      paymentId,
      connectionId: row.connection_id,
      currency: row.currency,
      asked: askedOf(toRequest(row)),
      facts: known.facts,
      async settle(news) {
        const facts = mergeFacts(known.facts, news);
        if (facts.length > known.facts.length) {
          const nothingElse = { operations: [], changes: {}, references: [] };
          await addToKnown(trx, known, { facts: news, ...nothingElse });
        }
        await bookPayment(trx, row, facts);
      },
    });
  });
}

/** A payment whose row this transaction has locked. */
interface KnownPayment {
  readonly row: PaymentRow;
  readonly facts: readonly Fact[];
  readonly operations: readonly StatedOperation[];
}

interface News {
  readonly facts: readonly Fact[];
  readonly operations: readonly StatedOperation[];
  readonly changes: Changes;
  /** Objects named to us besides those of the facts. */
  readonly references: readonly string[];
  /** Absent: those that are recorded. */
  readonly repairs?: readonly RepairRecord[];
}

async function addToKnown(
  trx: Transaction<Tables>,
  known: KnownPayment,
  news: News,
): Promise<Payment> {
  const { row } = known;
  const { payment_id: paymentId, connection_id: connectionId } = row;
  const operations = await mergeOperations(trx, paymentId, {
    known: known.operations,
    news: news.operations,
  });
  const facts = mergeFacts(known.facts, news.facts);
  const added = facts.slice(known.facts.length);
  await insertFacts(trx, paymentId, added);
  if (added.some(movesMoney)) await bookPayment(trx, row, facts);
  const stating = added.filter(({ kind }) => !HOLDFASTS_OWN.includes(kind));
  const references = [...news.references, ...stating.map(({ object }) => object)];
  await indexObjects(trx, paymentId, { connectionId, references });
  const updated = await trx
    .updateTable('payments')
    .set({ ...news.changes, ...derivedChanges({ ...news, row, facts }) })
    .where('payment_id', '=', paymentId)
    .returningAll()
    .executeTakeFirstOrThrow();
  return toPayment(updated, operations);
}

/** The row, inserted if it is not there; either way nobody else can touch it meanwhile. */
async function insertOrLock(
  trx: Transaction<Tables>,
  request: PaymentRequest,
): Promise<KnownPayment> {
  const { is_new: isNew, ...row } = await trx
    .insertInto('payments')
    .values(toInsert(request))
    // An update that changes nothing: it locks the row that is there, and returns it.
    .onConflict((conflict) =>
      conflict.column('payment_id').doUpdateSet({ revision: sql`payments.revision` }),
    )
    .returningAll()
    .returning(sql<boolean>`xmax = 0`.as('is_new'))
    .executeTakeFirstOrThrow();
  return isNew ? { row, facts: [], operations: [] } : loadParts(trx, row);
}

function lockPayment(
  trx: Transaction<Tables>,
  paymentId: PaymentId,
): Promise<PaymentRow | undefined> {
  return trx
    .selectFrom('payments')
    .selectAll()
    .where('payment_id', '=', paymentId)
    .forUpdate()
    .executeTakeFirst();
}

async function loadParts(trx: Transaction<Tables>, row: PaymentRow): Promise<KnownPayment> {
  const facts = await selectFacts(trx, row.payment_id);
  return { row, facts, operations: await selectStatedOperations(trx, row.payment_id) };
}

function toInsert(request: PaymentRequest) {
  return {
    payment_id: request.paymentId,
    connection_id: request.connectionId,
    merchant_reference: request.merchantReference,
    capture_mode: request.captureMode,
    currency: request.amount.currency,
    requested_minor: request.amount.minor ?? null,
    origin: request.origin ?? null,
    at_deadline: request.atDeadline ?? null,
    description: request.description ?? null,
    return_url: request.returnUrl ?? null,
    requested_capture_before: toTimeOrNull(request.captureBefore),
    options: toJsonOrNull(request.options),
    requested_at: toTime(request.requestedAt),
  };
}

function isNewer(row: PaymentRow, { progress }: PaymentRecord): boolean {
  return progress.revision > Number(row.revision);
}

function progressChanges(row: PaymentRow, record: PaymentRecord): Changes {
  if (!isNewer(row, record)) return {};
  const { progress, particulars } = record;
  return {
    revision: progress.revision,
    ended: progress.ended,
    capture_before: toTimeOrNull(progress.captureBefore),
    attention: toJsonOrNull(progress.attention),
    unknown_since: toTimeOrNull(progress.unknownSince),
    repairs: toJsonOrNull(progress.repairs),
    next_action: toJsonOrNull(particulars.nextAction),
    terms: toJsonOrNull(particulars.terms),
  };
}

/** Apart from the rest, because a later record without a reference does not take it back. */
function referenceChanges(row: PaymentRow, { progress, particulars }: PaymentRecord): Changes {
  const { providerReference } = particulars;
  const isOlder = progress.revision <= Number(row.stated_reference_revision);
  if (providerReference === undefined || isOlder) return {};
  return { stated_reference: providerReference, stated_reference_revision: progress.revision };
}

/** What the facts come to, by the domain's own rules. */
function derivedChanges({
  row,
  facts,
  changes,
  repairs = row.repairs ?? [],
}: Pick<News, 'facts' | 'changes' | 'repairs'> & { readonly row: PaymentRow }): Changes {
  const { status, amounts, flags, problem, providerReference } = paymentOf({
    request: toRequest(row),
    particulars: present('providerReference', changes.stated_reference ?? row.stated_reference),
    facts,
    operations: [],
    progress: { revision: 0, ended: false },
  });
  const hasAttention = 'attention' in changes ? changes.attention !== null : row.attention !== null;
  return {
    status,
    authorized_minor: amounts.authorized.minor,
    captured_minor: amounts.captured.minor,
    voided_minor: amounts.voided.minor,
    refunded_minor: amounts.refunded.minor,
    flags: toJson(flags),
    problem: toJsonOrNull(problem),
    provider_reference: providerReference ?? null,
    needs_attention: hasAttention || (flags.length > 0 && !isDismissed(repairs, facts.length)),
  };
}
