import { sql, type Expression, type ExpressionBuilder, type Kysely, type SqlBool } from 'kysely';
import type { PaymentId } from '../domain/ids.js';
import type { Refund, RefundStatus } from '../domain/refund.js';
import { cutPage, decodeCursor, encodeCursor } from './cursor.js';
import type { Tables } from './database.js';
import { toRefund } from './refund-rows.js';

export interface RefundFilter {
  readonly paymentId?: PaymentId;
  readonly connectionId?: string;
  readonly status?: RefundStatus;
  /** True: those that a person should look at. False: the others. */
  readonly needsAttention?: boolean;
  /** The `nextCursor` of the page before. */
  readonly after?: string;
  readonly limit: number;
}

export interface RefundPage {
  readonly refunds: readonly Refund[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** Newest request first. Throws InvalidCursor. */
export async function refundsPage(db: Kysely<Tables>, filter: RefundFilter): Promise<RefundPage> {
  const { limit } = filter;
  const rows = await db
    .selectFrom('refunds')
    .selectAll()
    .where((eb) => eb.and(conditions(eb, filter)))
    .orderBy('requested_at', 'desc')
    .orderBy('refund_id', 'desc')
    .limit(limit + 1)
    .execute();
  const { page, last } = cutPage(rows.map(toRefund), limit);
  return {
    refunds: page,
    ...(last && { nextCursor: encodeCursor({ requestedAt: last.requestedAt, id: last.refundId }) }),
  };
}

function conditions(
  eb: ExpressionBuilder<Tables, 'refunds'>,
  { paymentId, connectionId, status, needsAttention, after }: RefundFilter,
): Expression<SqlBool>[] {
  return [
    paymentId === undefined ? [] : eb('payment_id', '=', paymentId),
    connectionId === undefined ? [] : eb('connection_id', '=', connectionId),
    status === undefined ? [] : eb('status', '=', status),
    needsAttention === undefined ? [] : eb('attention', needsAttention ? 'is not' : 'is', null),
    after === undefined ? [] : isAfter(after),
  ].flat();
}

function isAfter(cursor: string): Expression<SqlBool> {
  const { requestedAt, id } = decodeCursor(cursor);
  return sql<boolean>`(requested_at, refund_id) < (${requestedAt}::timestamptz, ${id})`;
}
