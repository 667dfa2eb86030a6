import type { Kysely, Transaction, Updateable } from 'kysely';
import type { Fact } from '../domain/facts.js';
import type { PaymentId } from '../domain/ids.js';
import { isPositive, money } from '../domain/money.js';
import type { OperationRecord, Payment, PaymentRequest } from '../domain/payment.js';
import type { PaymentRecord } from '../domain/record.js';
import { reduceFacts, type PaymentView } from '../domain/reducer.js';
import type { PaymentRow, PaymentsTable, Tables } from './database.js';
import { appendFacts } from './fact-rows.js';
import { mergeOperations } from './operations.js';
import { toPayment } from './payment-rows.js';
import { indexObjects } from './provider-objects.js';
import { toJson, toJsonOrNull, toTime, toTimeOrNull } from './values.js';

type Changes = Updateable<PaymentsTable>;

/** Records all of it in one transaction, or nothing. See `Store.recordPayment`. */
export function recordPayment(db: Kysely<Tables>, record: PaymentRecord): Promise<Payment> {
  const { request, facts, operations, progress, particulars } = record;
  const { paymentId } = request;
  return db.transaction().execute(async (trx) => {
    const row = (await insertPayment(trx, request)) ?? (await lockPayment(trx, paymentId));
    if (!row) throw new Error(`store: payment ${paymentId} was neither inserted nor found`);
    const stated = operations.map((operation) => ({
      record: operation,
      revision: progress.revision,
    }));
    const held = await mergeOperations(trx, paymentId, stated);
    const changes = { ...progressChanges(row, record), ...referenceChanges(row, record) };
    const references = particulars.providerReference ? [particulars.providerReference] : [];
    return addFacts(trx, row, { facts, operations: held, changes, references });
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
    const operations = await mergeOperations(trx, paymentId, []);
    return addFacts(trx, row, { facts, operations, changes: {}, references: [] });
  });
}

async function addFacts(
  trx: Transaction<Tables>,
  row: PaymentRow,
  news: {
    readonly facts: readonly Fact[];
    readonly operations: readonly OperationRecord[];
    readonly changes: Changes;
    readonly references: readonly string[];
  },
): Promise<Payment> {
  const facts = await appendFacts(trx, row.payment_id, news.facts);
  const stating = news.facts.filter(({ kind }) => kind !== 'rejected' && kind !== 'not_started');
  const references = [...news.references, ...stating.map(({ object }) => object)];
  await indexObjects(trx, row.payment_id, { connectionId: row.connection_id, references });
  const changes = { ...news.changes, ...derivedChanges(row, facts, news.changes) };
  const updated = await trx
    .updateTable('payments')
    .set(changes)
    .where('payment_id', '=', row.payment_id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return toPayment(updated, news.operations);
}

/** The new row, which nobody else can touch yet; undefined when the payment is known. */
function insertPayment(
  trx: Transaction<Tables>,
  request: PaymentRequest,
): Promise<PaymentRow | undefined> {
  return trx
    .insertInto('payments')
    .values({
      payment_id: request.paymentId,
      connection_id: request.connectionId,
      merchant_reference: request.merchantReference,
      capture_mode: request.captureMode,
      currency: request.amount.currency,
      requested_minor: request.amount.minor,
      description: request.description ?? null,
      return_url: request.returnUrl ?? null,
      requested_capture_before: toTimeOrNull(request.captureBefore),
      options: toJsonOrNull(request.options),
      requested_at: toTime(request.requestedAt),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
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

function progressChanges(row: PaymentRow, { progress, particulars }: PaymentRecord): Changes {
  if (progress.revision <= Number(row.revision)) return {};
  return {
    revision: progress.revision,
    ended: progress.ended,
    capture_before: toTimeOrNull(progress.captureBefore),
    attention: toJsonOrNull(progress.attention),
    unknown_since: toTimeOrNull(progress.unknownSince),
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

function derivedChanges(row: PaymentRow, facts: readonly Fact[], changes: Changes): Changes {
  const { currency } = row;
  const view = reduceFacts({ currency, amount: money(row.requested_minor, currency) }, facts);
  const { amounts, flags, problem } = view;
  const stated = changes.stated_reference ?? row.stated_reference;
  const hasAttention = 'attention' in changes ? changes.attention !== null : row.attention !== null;
  return {
    status: view.status,
    authorized_minor: amounts.authorized.minor,
    captured_minor: amounts.captured.minor,
    voided_minor: amounts.voided.minor,
    refunded_minor: amounts.refunded.minor,
    flags: toJson(flags),
    problem: toJsonOrNull(problem),
    provider_reference: carryingReference(view, stated),
    needs_attention: hasAttention || flags.length > 0,
  };
}

/** The object that holds the money; while none does, the one the provider named to us. */
function carryingReference(view: PaymentView, stated: string | null): string | null {
  const [first = null] = view.providerReferences;
  return isPositive(view.amounts.authorized) ? first : (stated ?? first);
}
