import { sql, type Kysely, type RawBuilder, type Transaction } from 'kysely';
import { dayOf } from '../../domain/calendar.js';
import type { ListingProgress, ReportListing } from '../../domain/reconciliation.js';
import type { ReportedLine, ReportedPayout } from '../../domain/report.js';
import type { Tables } from '../database.js';
import { present, storableText, toJson, toTime } from '../values.js';
import type { ReportPageTaken } from './contract.js';
import { lockRun, toProgress } from './runs.js';
import type { ListingRow, RunRow } from './tables.js';

/** So many rows are written by one statement. */
const ROWS_A_STATEMENT = 2_500;

export function takePage(db: Kysely<Tables>, page: ReportPageTaken): Promise<ListingProgress> {
  return db.transaction().execute(async (trx) => {
    const run = await lockRun(trx, page.runId);
    const known = await progressOf(trx, page);
    const isNext = !known.is_complete && known.cursor === (page.cursor ?? null);
    if (!isNext || run.status !== 'running') return toProgress(known);
    const lines = page.lines.map((line) => toLine(line, run));
    for (const chunk of chunksOf(lines)) {
      await upsertLines(trx, { run, listing: known.listing, lines: chunk });
    }
    await upsertPayouts(trx, run, page.payouts);
    const isComplete = page.nextCursor === undefined;
    if (isComplete) await noteListed(trx, run, page.listing);
    const progress = await trx
      .updateTable('report_listings')
      .set({
        cursor: page.nextCursor ?? null,
        pages: known.pages + 1,
        rows: sql`rows + ${page.lines.length + page.payouts.length}::bigint`,
        is_complete: isComplete,
      })
      .where('run_id', '=', page.runId)
      .where('listing', '=', known.listing)
      .returningAll()
      .executeTakeFirstOrThrow();
    return toProgress(progress);
  });
}

function progressOf(
  trx: Transaction<Tables>,
  { runId, listing }: ReportPageTaken,
): Promise<ListingRow> {
  return trx
    .insertInto('report_listings')
    .values({
      run_id: runId,
      listing: nameOf(listing),
      kind: listing.kind,
      scope: toJson({ ...listing.by, ...present('round', listing.round) }),
    })
    .onConflict((conflict) =>
      conflict.columns(['run_id', 'listing']).doUpdateSet({ pages: sql`report_listings.pages` }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Listed anew, it is another listing: what it repeats is not there twice. */
function nameOf({ kind, by, round }: ReportListing): string {
  const again = round === undefined ? '' : `/${round}`;
  if ('payoutReference' in by) {
    return storableText(`${kind}/payout/${by.payoutReference}${again}`);
  }
  return `${kind}/days/${by.days.from}/${by.days.to}${again}`;
}

interface LineRow {
  readonly kind: ReportedLine['kind'];
  readonly reference: string;
  readonly [column: string]: string | null;
}

function toLine(line: ReportedLine, { time_zone: timeZone }: RunRow): LineRow {
  return {
    kind: line.kind,
    reference: line.refundReference ?? line.providerReference,
    provider_reference: line.providerReference,
    refund_reference: line.refundReference ?? null,
    payout_reference: line.payoutReference ?? null,
    amount_minor: line.amount.minor,
    currency: line.amount.currency,
    occurred_at: toTime(line.occurredAt),
    business_day: dayOf(line.occurredAt, timeZone),
    merchant_reference: line.merchantReference ?? null,
    description: line.description ?? null,
  };
}

/** Bounded, and each without a repeat, because one statement cannot write a row twice. */
function chunksOf(lines: readonly LineRow[]): readonly (readonly LineRow[])[] {
  const chunks: LineRow[][] = [];
  const sightings = new Map<string, number>();
  const rounds: LineRow[][] = [];
  for (const line of lines) {
    const key = `${line.kind}/${line.reference}`;
    const round = sightings.get(key) ?? 0;
    sightings.set(key, round + 1);
    (rounds[round] ??= []).push(line);
  }
  for (const round of rounds) {
    for (let at = 0; at < round.length; at += ROWS_A_STATEMENT) {
      chunks.push(round.slice(at, at + ROWS_A_STATEMENT));
    }
  }
  return chunks;
}

/** Whether the row that is there was seen by this very listing: then it is there once too often. */
const IN_SAME_LISTING = sql`(report_lines.last_run = excluded.last_run
  and report_lines.listing = excluded.listing)`;

const SAYS_ELSE = sql`(report_lines.amount_minor, report_lines.currency)
    is distinct from (excluded.amount_minor, excluded.currency)
  or report_lines.payout_reference is not null and excluded.payout_reference is not null
    and report_lines.payout_reference <> excluded.payout_reference`;

/** A line that names no payout does not take back the one it was seen in. */
async function upsertLines(
  trx: Transaction<Tables>,
  {
    run,
    listing,
    lines,
  }: { readonly run: RunRow; readonly listing: string; readonly lines: readonly LineRow[] },
): Promise<void> {
  await sql`
    insert into report_lines (connection_id, kind, reference, provider_reference, refund_reference,
      payout_reference, amount_minor, currency, occurred_at, business_day, merchant_reference,
      description, payouts, listing, first_run, last_run)
    select ${run.connection_id}, kind, reference, provider_reference, refund_reference,
      payout_reference, amount_minor, currency, occurred_at, business_day, merchant_reference,
      description, case when payout_reference is null then '[]'::jsonb
        else jsonb_build_array(payout_reference) end,
      ${listing}, ${run.ordinal}::bigint, ${run.ordinal}::bigint
    from jsonb_to_recordset(${toJson(lines)}::jsonb) as reported (kind text, reference text,
      provider_reference text, refund_reference text, payout_reference text, amount_minor numeric,
      currency text, occurred_at timestamptz, business_day date, merchant_reference text,
      description text)
    on conflict (connection_id, kind, reference) do update set
      provider_reference = excluded.provider_reference,
      payout_reference = coalesce(excluded.payout_reference, report_lines.payout_reference),
      amount_minor = excluded.amount_minor,
      currency = excluded.currency,
      occurred_at = excluded.occurred_at,
      business_day = excluded.business_day,
      payouts = case when report_lines.payouts @> excluded.payouts then report_lines.payouts
        else report_lines.payouts || excluded.payouts end,
      earlier = case when ${SAYS_ELSE} then report_lines.earlier || ${EARLIER}
        else report_lines.earlier end,
      listing = excluded.listing,
      listing_count = case when ${IN_SAME_LISTING} then report_lines.listing_count + 1 else 1 end,
      repeats = ${REPEATS},
      repeated_in = case when ${IN_SAME_LISTING} then ${SORT} else report_lines.repeated_in end,
      last_run = excluded.last_run`.execute(trx);
}

const EARLIER: RawBuilder<unknown> = sql`jsonb_build_object(
  'minor', report_lines.amount_minor::text, 'currency', report_lines.currency,
  'payout', report_lines.payout_reference, 'run', report_lines.last_run)`;

/** What one sort of listing (of days, of a payout) repeated, it has to say again when it is asked again. */
const SORT = sql`split_part(excluded.listing, '/', 2)`;

const REPEATS: RawBuilder<unknown> = sql`case
  when ${IN_SAME_LISTING} then greatest(report_lines.repeats, report_lines.listing_count)
  when report_lines.repeated_in = ${SORT} then 0
  else report_lines.repeats end`;

async function upsertPayouts(
  trx: Transaction<Tables>,
  run: RunRow,
  payouts: readonly ReportedPayout[],
): Promise<void> {
  // Of one that is listed twice, what is said last.
  const byReference = new Map(payouts.map((payout) => [payout.payoutReference, payout]));
  const rows = [...byReference.values()].map(toPayout);
  for (let at = 0; at < rows.length; at += ROWS_A_STATEMENT) {
    await sql`
      insert into payouts (connection_id, payout_reference, status, paid_at, gathered_by, account,
        payments_count, payments_minor, refunds_count, refunds_minor, amount_minor, currency,
        first_run, last_run)
      select ${run.connection_id}, payout_reference, status, paid_at, gathered_by, account,
        payments_count, payments_minor, refunds_count, refunds_minor, amount_minor, currency,
        ${run.ordinal}::bigint, ${run.ordinal}::bigint
      from jsonb_to_recordset(${toJson(rows.slice(at, at + ROWS_A_STATEMENT))}::jsonb) as reported (
        payout_reference text, status text, paid_at timestamptz, gathered_by text, account text,
        payments_count bigint, payments_minor numeric, refunds_count bigint, refunds_minor numeric,
        amount_minor numeric, currency text)
      on conflict (connection_id, payout_reference) do update set
        status = excluded.status, paid_at = excluded.paid_at, gathered_by = excluded.gathered_by,
        account = excluded.account, payments_count = excluded.payments_count,
        payments_minor = excluded.payments_minor, refunds_count = excluded.refunds_count,
        refunds_minor = excluded.refunds_minor, amount_minor = excluded.amount_minor,
        currency = excluded.currency, last_run = excluded.last_run`.execute(trx);
  }
}

function toPayout(payout: ReportedPayout) {
  const { payments, refunds, amount } = payout;
  const { currency } = amount;
  if (payments.amount.currency !== currency || refunds.amount.currency !== currency) {
    throw new RangeError(`payout "${payout.payoutReference}": amounts in several currencies`);
  }
  return {
    payout_reference: payout.payoutReference,
    status: payout.status,
    paid_at: payout.paidAt === undefined ? null : toTime(payout.paidAt),
    gathered_by: payout.group ?? null,
    account: payout.account ?? null,
    payments_count: payments.count,
    payments_minor: payments.amount.minor,
    refunds_count: refunds.count,
    refunds_minor: refunds.amount.minor,
    amount_minor: amount.minor,
    currency,
  };
}

/** That a payout's own payments, or refunds, are all here. */
async function noteListed(
  trx: Transaction<Tables>,
  { connection_id: connectionId }: RunRow,
  { kind, by }: ReportListing,
): Promise<void> {
  if (!('payoutReference' in by) || kind === 'payouts') return;
  const column = kind === 'payments' ? sql`payments_listed` : sql`refunds_listed`;
  await sql`update payouts set ${column} = true where connection_id = ${connectionId}
    and payout_reference = ${by.payoutReference}`.execute(trx);
}
