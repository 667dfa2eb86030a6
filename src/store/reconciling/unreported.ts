/** What we know of and no line tells: awaited while reports may be late, a break afterwards. */
import { sql, type Kysely, type Transaction } from 'kysely';
import { addDays, addWorkingDays, boundsOfDays, dayOf } from '../../domain/calendar.js';
import type { Day, DayRange } from '../../domain/report.js';
import type { Tables } from '../database.js';
import { raiseBreaks, type Sql } from './break-rows.js';
import type { Awaited } from './contract.js';
import { runOf, walkIndexes } from './runs.js';
import type { ListingRow, RunRow } from './tables.js';

/** Facts of a time, all of which should be in lines. */
interface Window {
  readonly kind: 'payment' | 'refund';
  readonly days: DayRange;
  /** A refund that the provider is still processing is in no report yet. */
  readonly spares: 'processing' | 'none';
}

/** Longer than a refund may be processed: afterwards none is spared. */
const PROCESSING_DAYS = 15;

const WORKING_DAYS_TO_PAYOUT = 5;

/** So many facts are looked at by one statement. */
const FACTS_A_STATEMENT = 5_000;

export async function awaited(db: Kysely<Tables>, runId: string): Promise<Awaited> {
  const run = await runOf(db, runId);
  const listings = await completeListings(db, run);
  const counts = { payments: 0, refunds: 0 };
  for (const window of windowsOfDays(listings)) {
    let after: FactKey | undefined;
    do {
      const page = await countUnreported(db, { run, window, after });
      counts[window.kind === 'payment' ? 'payments' : 'refunds'] += page.count;
      after = page.last;
    } while (after);
  }
  const rows = listings.filter(({ kind }) => kind !== 'payouts').map((each) => Number(each.rows));
  return { ...counts, lines: rows.reduce((a, b) => a + b, 0) };
}

/** A step of matching: goes on after `after`, answers where to go on, or undefined at the end. */
export async function raiseMissing(
  trx: Transaction<Tables>,
  run: RunRow,
  after: string | undefined,
): Promise<string | undefined> {
  const listings = await completeListings(trx, run);
  const first = await firstListedDay(trx, run);
  const lookback = windowsOfDays(listings).flatMap((window) => lookbackOf(window, first));
  const windows = [...windowsOfDays(listings), ...lookback];
  return walk(windows, after, async (window, from) => {
    const page = factsOf(run, window, from);
    await raiseBreaks(trx, run, causesOf({ run, window, page, kind: 'missing_at_provider' }));
    return lastOf(trx, page);
  });
}

/** Lines in no payout; whatever the day, there are few of them. */
export async function raiseLateLines(
  trx: Transaction<Tables>,
  run: RunRow,
  after = '0',
): Promise<string | undefined> {
  if (!run.has_payouts) return undefined;
  const page = sql`select l.* from report_lines l where l.connection_id = ${run.connection_id}
    and l.payout_reference is null and l.line_id > ${after}::bigint
    order by l.line_id limit ${FACTS_A_STATEMENT}`;
  const lastDay = lastDayToBePaid(dayOf(run.requested_at.toISOString(), run.time_zone));
  await raiseBreaks(
    trx,
    run,
    sql`select 'paid_out_late' as kind, 'payment' as subject, reference, payment_id,
      null::text as refund_id, provider_reference, null::text as refund_reference,
      null::text as payout_reference, coalesce(ours_minor, amount_minor) as ours_minor,
      coalesce(ours_currency, currency) as ours_currency, null::numeric as theirs_minor,
      null::text as theirs_currency, business_day
    from (${page}) late where kind = 'payment' and business_day <= ${lastDay}::date`,
  );
  const { rows } = await sql<{
    readonly last: string | null;
  }>`select max(line_id) as last from (${page}) page`.execute(trx);
  return rows[0]?.last ?? undefined;
}

/** Payments of the days that have become late since the run before, and are in no line at all. */
export async function raiseLateFacts(
  trx: Transaction<Tables>,
  run: RunRow,
  after: string | undefined,
): Promise<string | undefined> {
  const before = run.has_payouts ? await runBefore(trx, run) : undefined;
  const first = await firstListedDay(trx, run);
  if (before === undefined || first === undefined) return undefined;
  const isPaidBy = lastDayToBePaid(dayOf(before, run.time_zone));
  const days = {
    from: latest(first, addDays(isPaidBy, 1)),
    to: lastDayToBePaid(dayOf(run.requested_at.toISOString(), run.time_zone)),
  };
  if (days.from > days.to) return undefined;
  return walk([{ kind: 'payment', days, spares: 'none' }], after, async (window, from) => {
    const page = factsOf(run, window, from);
    const causes = causesOf({ run, window, page, kind: 'paid_out_late' });
    // Of those that are missing anyway a person knows.
    await raiseBreaks(
      trx,
      run,
      sql`select * from (${causes}) late where (
        select b.break_id from breaks b where b.connection_id = ${run.connection_id}
          and b.status = 'open' and b.subject = late.subject and b.reference = late.reference
          and b.kind = 'missing_at_provider') is null`,
    );
    return lastOf(trx, page);
  });
}

/** The last business day whose payments should have been paid out before `today`. */
function lastDayToBePaid(today: Day): Day {
  let day = addDays(today, -1);
  while (addWorkingDays(day, WORKING_DAYS_TO_PAYOUT) >= today) day = addDays(day, -1);
  return day;
}

function latest(a: Day, b: Day): Day {
  return a > b ? a : b;
}

function windowsOfDays(listings: readonly ListingRow[]): readonly Window[] {
  return listings.flatMap(({ kind, scope }) => {
    if (kind === 'payouts' || !('days' in scope)) return [];
    const { days } = scope;
    return kind === 'payments'
      ? { kind: 'payment' as const, days, spares: 'none' as const }
      : { kind: 'refund' as const, days, spares: 'processing' as const };
  });
}

/** Refunds that were spared on their day; not from before anything was listed. */
function lookbackOf({ kind, days }: Window, first: Day | undefined): readonly Window[] {
  if (kind !== 'refund' || first === undefined) return [];
  const from = latest(first, addDays(days.from, -PROCESSING_DAYS));
  const to = addDays(days.to, -PROCESSING_DAYS);
  return from > to ? [] : [{ kind, days: { from, to }, spares: 'none' }];
}

async function completeListings(
  db: Kysely<Tables>,
  { run_id: runId }: RunRow,
): Promise<readonly ListingRow[]> {
  const rows = await db
    .selectFrom('report_listings')
    .selectAll()
    .where('run_id', '=', runId)
    .where('is_complete', '=', true)
    .orderBy('ordinal')
    .execute();
  const latest = new Map(rows.map((row) => [withoutRound(row), row]));
  return [...latest.values()];
}

/** Listed anew, it says the same of the same days, and more. */
function withoutRound({ kind, scope: { round: _round, ...scope } }: ListingRow): string {
  return JSON.stringify([kind, scope]);
}

async function firstListedDay(db: Kysely<Tables>, run: RunRow): Promise<Day | undefined> {
  const { rows } = await sql<{ readonly day: Day | null }>`
    select min(listing.scope -> 'days' ->> 'from') as day
    from report_listings listing join reconciliations run using (run_id)
    where run.connection_id = ${run.connection_id} and listing.kind = 'payments'`.execute(db);
  return rows[0]?.day ?? undefined;
}

async function runBefore(db: Kysely<Tables>, run: RunRow): Promise<string | undefined> {
  const { rows } = await sql<{ readonly at: Date }>`
    select requested_at as at from reconciliations where connection_id = ${run.connection_id}
      and ordinal < ${run.ordinal}::bigint and status = 'finished'
    order by ordinal desc limit 1`.execute(db);
  return rows[0]?.at.toISOString();
}

/** Where a page of facts ended. */
interface FactKey {
  readonly at: string;
  readonly paymentId: string;
  readonly factId: string;
}

function factsOf(run: RunRow, { kind, days }: Window, after: FactKey | undefined): Sql {
  const { from, to } = boundsOfDays(days, run.time_zone);
  const isAfter = after
    ? sql`and (f.occurred_at, f.payment_id, f.fact_id)
        > (${after.at}::timestamptz, ${after.paymentId}, ${after.factId})`
    : sql``;
  return sql`select f.* from facts f
    where f.kind = ${sql.lit(kind === 'payment' ? 'captured' : 'refunded')}
      and f.occurred_at >= ${from}::timestamptz and f.occurred_at < ${to}::timestamptz ${isAfter}
    order by f.occurred_at, f.payment_id, f.fact_id limit ${FACTS_A_STATEMENT}`;
}

/**
 * Movements of a page that are in no line. A refund without the provider's id can be in none. Each
 * is looked up by itself (a subquery, not a join): see `walkIndexes`.
 */
function unreported(of: {
  readonly run: RunRow;
  readonly window: Window;
  readonly page: Sql;
}): Sql {
  const { run, window, page } = of;
  const reference = window.kind === 'payment' ? sql`f.object` : sql`f.part`;
  const unlessProcessing =
    window.spares === 'none'
      ? sql``
      : sql`and (select r.refund_id from refunds r where r.connection_id = ${run.connection_id}
          and r.provider_reference = f.part and r.status = 'processing' limit 1) is null`;
  return sql`
    select distinct on (reference) ${reference} as reference, f.kind, f.object, f.part,
      f.payment_id, p.currency, f.occurred_at
    from (${page}) f
    join payments p on p.payment_id = f.payment_id and p.connection_id = ${run.connection_id}
    where ${reference} is not null and f.amount_minor > 0 and f.amount_currency = p.currency
      ${unlessProcessing}
      and (select l.line_id from report_lines l where l.connection_id = ${run.connection_id}
        and l.kind = ${sql.lit(window.kind)} and l.reference = ${reference}) is null
    order by reference, f.occurred_at`;
}

function countUnreported(
  db: Kysely<Tables>,
  of: { readonly run: RunRow; readonly window: Window; readonly after: FactKey | undefined },
): Promise<{ readonly count: number; readonly last: FactKey | undefined }> {
  return db.transaction().execute(async (trx) => {
    await walkIndexes(trx);
    const page = factsOf(of.run, of.window, of.after);
    const { rows } = await sql<{
      readonly count: string;
    }>`select count(*) as count from (${unreported({ ...of, page })}) unreported`.execute(trx);
    return { count: Number(rows[0]?.count ?? 0), last: await lastOf(trx, page) };
  });
}

function causesOf(of: {
  readonly run: RunRow;
  readonly window: Window;
  readonly page: Sql;
  readonly kind: 'missing_at_provider' | 'paid_out_late';
}): Sql {
  const { run, window, kind } = of;
  const isOfPart = window.kind === 'payment' ? sql`true` : sql`f.part = u.part`;
  return sql`
    select ${sql.lit(kind)} as kind, ${sql.lit(window.kind)} as subject, u.reference, u.payment_id,
      ours.refund_id, u.object as provider_reference,
      ${window.kind === 'payment' ? sql`null::text` : sql`u.part`} as refund_reference,
      null::text as payout_reference, moved.minor as ours_minor, u.currency as ours_currency,
      null::numeric as theirs_minor, null::text as theirs_currency,
      (u.occurred_at at time zone ${run.time_zone})::date as business_day
    from (${unreported(of)}) u
    cross join lateral (
      select (array_agg(r.refund_id order by r.requested_at))[1] as refund_id from refunds r
      where u.kind = 'refunded' and r.connection_id = ${run.connection_id}
        and r.provider_reference = u.part) ours
    cross join lateral (select sum(part.minor) as minor from (
      select max(f.amount_minor) as minor from facts f
      where f.payment_id = u.payment_id and f.object = u.object and f.kind = u.kind
        and ${isOfPart} and f.amount_currency = u.currency
      group by coalesce(f.part, '')) part) moved`;
}

async function lastOf(db: Kysely<Tables>, page: Sql): Promise<FactKey | undefined> {
  const { rows } = await sql<{
    readonly occurred_at: Date;
    readonly payment_id: string;
    readonly fact_id: string;
  }>`select occurred_at, payment_id, fact_id from (${page}) page
    order by occurred_at desc, payment_id desc, fact_id desc limit 1`.execute(db);
  const [row] = rows;
  return (
    row && { at: row.occurred_at.toISOString(), paymentId: row.payment_id, factId: row.fact_id }
  );
}

/** One page of one window after the other; where it stands, as text. */
async function walk(
  windows: readonly Window[],
  after: string | undefined,
  take: (window: Window, from: FactKey | undefined) => Promise<FactKey | undefined>,
): Promise<string | undefined> {
  const { index, from } =
    after === undefined ? { index: 0, from: undefined } : (JSON.parse(after) as Position);
  const window = windows[index];
  if (!window) return undefined;
  const last = await take(window, from);
  return JSON.stringify(last ? { index, from: last } : { index: index + 1 });
}

interface Position {
  readonly index: number;
  readonly from?: FactKey;
}
