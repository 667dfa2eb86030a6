import { sql, type Kysely } from 'kysely';
import { money } from '../../domain/money.js';
import type { StoredPayout, Tally } from '../../domain/reconciliation.js';
import { checkRowCursor, cutPage } from '../cursor.js';
import type { Tables } from '../database.js';
import { present, presentTime } from '../values.js';
import type { PayoutFilter, PayoutKey, PayoutPage, Payouts } from './contract.js';
import { selectLines, selectRunIds } from './line-rows.js';
import type { PayoutsTable } from './tables.js';

export function createPayouts(db: Kysely<Tables>): Payouts {
  return {
    list: (filter) => list(db, filter),
    get: (payout) => get(db, payout),
    lines: ({ connectionId, payoutReference }, page) =>
      selectLines(
        db,
        sql`l.connection_id = ${connectionId} and l.payout_reference = ${payoutReference}`,
        page,
      ),
  };
}

async function list(
  db: Kysely<Tables>,
  { connectionId, status, after, limit }: PayoutFilter,
): Promise<PayoutPage> {
  checkRowCursor(after);
  const rows = await db
    .selectFrom('payouts')
    .selectAll()
    .where((eb) =>
      eb.and(
        [
          connectionId === undefined ? [] : eb('connection_id', '=', connectionId),
          status === undefined ? [] : eb('status', '=', status),
          after === undefined ? [] : eb('payout_id', '<', after),
        ].flat(),
      ),
    )
    .orderBy('payout_id', 'desc')
    .limit(limit + 1)
    .execute();
  const { page, last } = cutPage(rows, limit);
  const payouts = await toPayouts(db, page);
  return { payouts, ...(last && { nextCursor: last.payout_id }) };
}

async function get(
  db: Kysely<Tables>,
  { connectionId, payoutReference }: PayoutKey,
): Promise<StoredPayout | undefined> {
  const rows = await db
    .selectFrom('payouts')
    .selectAll()
    .where('connection_id', '=', connectionId)
    .where('payout_reference', '=', payoutReference)
    .execute();
  return (await toPayouts(db, rows))[0];
}

export async function toPayouts(
  db: Kysely<Tables>,
  rows: readonly PayoutsTable[],
): Promise<readonly StoredPayout[]> {
  const runIds = await selectRunIds(
    db,
    rows.flatMap((row) => [row.first_run, row.last_run]),
  );
  return rows.map((row) => toPayout(row, runIds));
}

function toPayout(row: PayoutsTable, runIds: ReadonlyMap<string, string>): StoredPayout {
  const total = (count: string, minor: string) => ({
    count: Number(count),
    amount: money(minor, row.currency),
  });
  const tally = (count: string, minor: string): Tally => ({
    count: Number(count),
    amounts: count === '0' ? [] : [money(minor, row.currency)],
  });
  return {
    connectionId: row.connection_id,
    payoutReference: row.payout_reference,
    status: row.status,
    ...presentTime('paidAt', row.paid_at),
    ...present('group', row.gathered_by),
    ...present('account', row.account),
    payments: total(row.payments_count, row.payments_minor),
    refunds: total(row.refunds_count, row.refunds_minor),
    amount: money(row.amount_minor, row.currency),
    firstSeenRunId: runIds.get(row.first_run) ?? '',
    lastSeenRunId: runIds.get(row.last_run) ?? '',
    lines: {
      payments: tally(row.payment_lines, row.payment_lines_minor),
      refunds: tally(row.refund_lines, row.refund_lines_minor),
    },
  };
}
