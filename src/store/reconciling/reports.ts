/** What the report of a run is made of, and what is left to be listed for it. */
import { sql, type Kysely, type Transaction } from 'kysely';
import type { StoredPayout } from '../../domain/reconciliation.js';
import { checkRowCursor, cutPage } from '../cursor.js';
import type { Tables } from '../database.js';
import { toBreak, type BreakRow } from './breaks.js';
import type { FoundBreakPage, PageAsked, UnsettledAsked, UnsettledPage } from './contract.js';
import { toPayouts } from './payouts.js';
import { runOf } from './runs.js';
import type { PayoutsTable, RunRow } from './tables.js';

/** So many payouts are shown one by one; of more, totals tell. */
const PAYOUTS_KEPT = 1_000;

const ARE_ITS_LINES = sql`(p.payments_count, p.payments_minor, p.refunds_count, p.refunds_minor)
  = (p.payment_lines, p.payment_lines_minor, p.refund_lines, p.refund_lines_minor)`;

const TIES = sql`(p.amount_minor = p.payments_minor - p.refunds_minor and ${ARE_ITS_LINES}
  and p.status <> 'failed')`;

/** To be called once, in the transaction that ends the run. */
export async function keepPayouts(trx: Transaction<Tables>, { ordinal }: RunRow): Promise<void> {
  await sql`
    insert into run_payouts (run, payout)
    select ${ordinal}::bigint, to_jsonb(p) from payouts p where p.last_run = ${ordinal}::bigint
    order by ${TIES}, p.payout_id limit ${PAYOUTS_KEPT}`.execute(trx);
}

export async function payoutsFound(
  db: Kysely<Tables>,
  runId: string,
): Promise<readonly StoredPayout[]> {
  const { ordinal } = await runOf(db, runId);
  const { rows } = await sql<PayoutsTable>`
    select p.* from run_payouts kept
    cross join lateral jsonb_populate_record(null::payouts, kept.payout) p
    where kept.run = ${ordinal}::bigint order by kept.ordinal`.execute(db);
  return toPayouts(db, rows);
}

export async function breaksFound(
  db: Kysely<Tables>,
  runId: string,
  { after = '0', limit }: PageAsked,
): Promise<FoundBreakPage> {
  if (after !== '0') checkRowCursor(after);
  const run = await runOf(db, runId);
  const { rows } = await sql<BreakRow>`
    select b.break_id, b.ordinal, b.connection_id, b.kind, b.subject, b.reference, b.payment_id,
      b.refund_id, b.provider_reference, b.refund_reference, b.payout_reference,
      b.business_day::text as on_day, b.first_run, b.last_run, found.status, found.ours_minor,
      found.ours_currency, found.theirs_minor, found.theirs_currency, found.explanation,
      found.resolution, '[]'::jsonb as history
    from run_breaks found join breaks b using (break_id)
    where found.run = ${run.ordinal}::bigint and b.ordinal > ${after}::bigint
    order by b.ordinal limit ${limit + 1}`.execute(db);
  const { page, last } = cutPage(rows, limit);
  const breaks = page.map((row) => {
    const { history: _history, ...found } = toBreak(row);
    return found;
  });
  return { breaks, ...(last && { nextCursor: last.ordinal }) };
}

const SMALL_LINES = 50_000;

const NOT_ITS_LINES = {
  small: sql`p.payments_count + p.refunds_count <= ${SMALL_LINES}
    and (p.payments_count, p.payments_minor, p.refunds_count, p.refunds_minor) <> (
      select count(*) filter (where l.kind = 'payment'),
        coalesce(sum(l.amount_minor) filter (where l.kind = 'payment'), 0),
        count(*) filter (where l.kind = 'refund'),
        coalesce(sum(l.amount_minor) filter (where l.kind = 'refund'), 0)
      from report_lines l where l.connection_id = p.connection_id
        and l.payout_reference = p.payout_reference)`,
  matched: sql`not ${ARE_ITS_LINES}`,
};

/** What its own listing told twice, only that can tell once. */
const HAS_DUPLICATES = sql`exists (select from breaks b where b.connection_id = p.connection_id
  and b.payout_reference = p.payout_reference and b.kind = 'duplicate' and b.status = 'open')`;

export async function unsettledPayouts(
  db: Kysely<Tables>,
  runId: string,
  { after = '', limit, which }: UnsettledAsked,
): Promise<UnsettledPage> {
  const run = await runOf(db, runId);
  const { rows } = await sql<{ readonly reference: string }>`
    select p.payout_reference as reference from payouts p
    where p.connection_id = ${run.connection_id} and p.last_run = ${run.ordinal}::bigint
      and p.payout_reference > ${after} collate "C" and (${NOT_ITS_LINES[which]} or ${HAS_DUPLICATES})
      and (select count(*) from report_listings listing where listing.run_id = ${runId}
        and listing.is_complete and listing.kind <> 'payouts'
        and listing.scope ->> 'payoutReference' = p.payout_reference) < 2
    order by p.payout_reference limit ${limit + 1}`.execute(db);
  const { page, last } = cutPage(rows, limit);
  const payoutReferences = page.map(({ reference }) => reference);
  return { payoutReferences, ...(last && { nextCursor: last.reference }) };
}
