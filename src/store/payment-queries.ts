import { sql, type Expression, type ExpressionBuilder, type Kysely, type SqlBool } from 'kysely';
import { groupBy } from '../domain/collections.js';
import type { PaymentId } from '../domain/ids.js';
import type { Payment } from '../domain/payment.js';
import type { StoredPayment } from '../domain/record.js';
import type { PaymentStatus } from '../domain/reducer.js';
import { cutPage, decodeCursor, encodeCursor } from './cursor.js';
import type { OperationRow, PaymentRow, Tables } from './database.js';
import { selectFacts } from './fact-rows.js';
import { toOperationRecords } from './operations.js';
import { toPayment, toStoredPayment } from './payment-rows.js';
import { toTime } from './values.js';

export interface PaymentFilter {
  readonly connectionId?: string;
  readonly merchantReference?: string;
  readonly status?: PaymentStatus;
  /** Requested at or after. ISO 8601. */
  readonly from?: string;
  /** Requested before. ISO 8601. */
  readonly to?: string;
  /** True: those that a person should look at. False: the others. */
  readonly needsAttention?: boolean;
  /** The `nextCursor` of the page before. */
  readonly after?: string;
  readonly limit: number;
}

export interface PaymentPage {
  readonly payments: readonly Payment[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

export async function getPayment(
  db: Kysely<Tables>,
  paymentId: PaymentId,
): Promise<Payment | undefined> {
  const row = await selectPayment(db, paymentId);
  return row && (await withOperations(db, [row]))[0];
}

/** Row, facts and operations of one moment. */
export function loadPayment(
  db: Kysely<Tables>,
  paymentId: PaymentId,
): Promise<StoredPayment | undefined> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (trx) => {
      const row = await selectPayment(trx, paymentId);
      if (!row) return undefined;
      const operations = toOperationRecords(await selectOperations(trx, [paymentId]));
      return toStoredPayment(row, { facts: await selectFacts(trx, paymentId), operations });
    });
}

export async function listPayments(
  db: Kysely<Tables>,
  filter: PaymentFilter,
): Promise<PaymentPage> {
  const { limit } = filter;
  const rows = await db
    .selectFrom('payments')
    .selectAll()
    .where((eb) => eb.and(conditions(eb, filter)))
    .orderBy('requested_at', 'desc')
    .orderBy('payment_id', 'desc')
    .limit(limit + 1)
    .execute();
  const { page, last } = cutPage(rows, limit);
  const payments = await withOperations(db, page);
  return { payments, ...(last && { nextCursor: cursorOf(last) }) };
}

function conditions(
  eb: ExpressionBuilder<Tables, 'payments'>,
  filter: PaymentFilter,
): Expression<SqlBool>[] {
  const { connectionId, merchantReference, status, from, to, needsAttention, after } = filter;
  return [
    connectionId === undefined ? [] : eb('connection_id', '=', connectionId),
    merchantReference === undefined ? [] : eb('merchant_reference', '=', merchantReference),
    status === undefined ? [] : eb('status', '=', status),
    from === undefined ? [] : eb('requested_at', '>=', sql<Date>`${toTime(from)}::timestamptz`),
    to === undefined ? [] : eb('requested_at', '<', sql<Date>`${toTime(to)}::timestamptz`),
    needsAttention === undefined
      ? []
      : needsAttention
        ? eb.ref('needs_attention')
        : eb.not('needs_attention'),
    after === undefined ? [] : isAfter(after),
  ].flat();
}

function isAfter(cursor: string): Expression<SqlBool> {
  const { requestedAt, id } = decodeCursor(cursor);
  return sql<boolean>`(requested_at, payment_id) < (${requestedAt}::timestamptz, ${id})`;
}

function cursorOf(row: PaymentRow): string {
  return encodeCursor({ requestedAt: row.requested_at.toISOString(), id: row.payment_id });
}

function selectPayment(db: Kysely<Tables>, paymentId: PaymentId): Promise<PaymentRow | undefined> {
  return db
    .selectFrom('payments')
    .selectAll()
    .where('payment_id', '=', paymentId)
    .executeTakeFirst();
}

function selectOperations(
  db: Kysely<Tables>,
  paymentIds: readonly PaymentId[],
): Promise<OperationRow[]> {
  return db.selectFrom('operations').selectAll().where('payment_id', 'in', paymentIds).execute();
}

async function withOperations(
  db: Kysely<Tables>,
  rows: readonly PaymentRow[],
): Promise<readonly Payment[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ payment_id: id }) => id);
  const byPayment = groupBy(await selectOperations(db, ids), ({ payment_id: id }) => id);
  return rows.map((row) => toPayment(row, toOperationRecords(byPayment.get(row.payment_id) ?? [])));
}
