import { sql, type Kysely } from 'kysely';
import { money } from '../../domain/money.js';
import type { EarlierLine, StoredLine } from '../../domain/reconciliation.js';
import { checkRowCursor, cutPage } from '../cursor.js';
import type { Tables } from '../database.js';
import { present, presentMoney } from '../values.js';
import type { Sql } from './break-rows.js';
import type { LinePage, PageAsked } from './contract.js';
import type { ReportLinesTable } from './tables.js';

/**
 * Lines by their id, a page of them.
 *
 * @param those a condition on `report_lines l`
 */
export async function selectLines(
  db: Kysely<Tables>,
  those: Sql,
  { after, limit }: PageAsked,
): Promise<LinePage> {
  checkRowCursor(after);
  const { rows } = await sql<LineRow>`
    select l.*, l.business_day::text as on_day
    from report_lines l where ${those} and l.line_id > ${after ?? '0'}::bigint
    order by l.line_id limit ${limit + 1}`.execute(db);
  const { page, last } = cutPage(rows, limit);
  const runIds = await runIdsOf(db, page);
  const lines = page.map((row) => toLine(row, runIds));
  return { lines, ...(last && { nextCursor: last.line_id }) };
}

type LineRow = ReportLinesTable & { readonly on_day: string };

/** The ids of runs, by their ordinals. */
export async function selectRunIds(
  db: Kysely<Tables>,
  ordinals: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (ordinals.length === 0) return new Map();
  const rows = await db
    .selectFrom('reconciliations')
    .select(['ordinal', 'run_id'])
    .where('ordinal', 'in', [...new Set(ordinals)])
    .execute();
  return new Map(rows.map(({ ordinal, run_id: id }) => [ordinal, id]));
}

function runIdsOf(
  db: Kysely<Tables>,
  rows: readonly LineRow[],
): Promise<ReadonlyMap<string, string>> {
  return selectRunIds(
    db,
    rows.flatMap((row) => [
      row.first_run,
      row.last_run,
      ...row.earlier.map(({ run }) => String(run)),
    ]),
  );
}

function toLine(row: LineRow, runIds: ReadonlyMap<string, string>): StoredLine {
  const earlier = row.earlier.map(({ minor, currency, payout, run }): EarlierLine => ({
    amount: money(minor, currency),
    ...present('payoutReference', payout),
    runId: runIds.get(String(run)) ?? '',
  }));
  return {
    lineId: row.line_id,
    connectionId: row.connection_id,
    kind: row.kind,
    providerReference: row.provider_reference,
    ...present('refundReference', row.refund_reference),
    ...present('payoutReference', row.payout_reference),
    amount: money(row.amount_minor, row.currency),
    occurredAt: row.occurred_at.toISOString(),
    businessDay: row.on_day,
    ...present('merchantReference', row.merchant_reference),
    ...present('description', row.description),
    verdict: row.verdict,
    ...present('paymentId', row.payment_id),
    ...present('refundId', row.refund_id),
    ...presentMoney('ours', { minor: row.ours_minor, currency: row.ours_currency }),
    repeats: row.repeats,
    payouts: row.payouts,
    earlier,
    firstSeenRunId: runIds.get(row.first_run) ?? '',
    lastSeenRunId: runIds.get(row.last_run) ?? '',
  };
}
