/** Comparing payouts with their lines, and booking what was paid out. */
import { sql, type Transaction } from 'kysely';
import type { Tables } from '../database.js';
import { explainBreaks, explanation, raiseBreaks, type Sql } from './break-rows.js';
import type { RunRow } from './tables.js';

const LINES_A_STATEMENT = 5_000;
const PAYOUTS_A_STATEMENT = 500;

const BEGIN_COUNTING: Sql = sql`payment_lines = 0, payment_lines_minor = 0, refund_lines = 0,
  refund_lines_minor = 0`;

/** The payouts this run has seen will be looked at. */
export async function choosePayouts(
  trx: Transaction<Tables>,
  run: RunRow,
  after = '0',
): Promise<string | undefined> {
  const { rows } = await sql<{ readonly last: string | null }>`
    with few as materialized (
      select payout_id from payouts where last_run = ${run.ordinal}::bigint
        and payout_id > ${after}::bigint order by payout_id limit ${LINES_A_STATEMENT}
    ), chosen as (
      update payouts set counting_run = ${run.ordinal}::bigint, ${BEGIN_COUNTING}
      where payout_id in (select payout_id from few)
    )
    select max(payout_id) as last from few`.execute(trx);
  return rows[0]?.last ?? undefined;
}

/** So will be those that these lines are in. */
export function choosePayoutsOf(trx: Transaction<Tables>, run: RunRow, those: Sql): Promise<void> {
  return chooseNamed(
    trx,
    run,
    sql`select distinct l.payout_reference from report_lines l
      where ${those} and l.payout_reference is not null`,
  );
}

/** So will be these, whichever run saw them. */
export function choosePayoutsByReference(
  trx: Transaction<Tables>,
  run: RunRow,
  references: readonly string[],
): Promise<void> {
  return chooseNamed(
    trx,
    run,
    sql`select value as payout_reference
      from jsonb_array_elements_text(${JSON.stringify(references)}::jsonb)`,
  );
}

/** @param named a select of payout_reference */
async function chooseNamed(trx: Transaction<Tables>, run: RunRow, named: Sql): Promise<void> {
  await sql`
    update payouts set counting_run = ${run.ordinal}::bigint, ${BEGIN_COUNTING}
    where counting_run is distinct from ${run.ordinal}::bigint and payout_id in (
      select (select p.payout_id from payouts p where p.connection_id = ${run.connection_id}
        and p.payout_reference = named.payout_reference)
      from (${named}) named)`.execute(trx);
}

/**
 * Counts lines of chosen payouts, a bounded number of them, and books those that match and are in a
 * payout that succeeded: each once, whatever other payout it is in. `after` is `payout/line`.
 */
export async function countLines(
  trx: Transaction<Tables>,
  run: RunRow,
  after = '0/0',
): Promise<string | undefined> {
  const [payout = '0', line = '0'] = after.split('/');
  const { rows } = await sql<{
    readonly lines: string;
    readonly last_payout: string | null;
    readonly last_line: string | null;
    readonly chosen: string | null;
  }>`
    with chosen as (
      select * from (
        select payout_id, payout_reference, status, currency,
          sum(payments_count + refunds_count) over (order by payout_id)
            - (payments_count + refunds_count) as lines_before
        from payouts
        where counting_run = ${run.ordinal}::bigint and payout_id >= ${payout}::bigint
        order by payout_id limit ${PAYOUTS_A_STATEMENT}
      ) few where lines_before < ${LINES_A_STATEMENT}
    ), page as (
      select c.payout_id, c.status, c.currency as payout_currency, l.*
      from chosen c cross join lateral (
        select l.line_id, l.kind, l.reference, l.amount_minor, l.currency, l.verdict, l.payment_id,
          l.payout_reference
        from report_lines l
        where l.connection_id = ${run.connection_id} and l.payout_reference = c.payout_reference
          and (c.payout_id > ${payout}::bigint or l.line_id > ${line}::bigint)
        order by l.line_id limit ${LINES_A_STATEMENT}
      ) l
      order by c.payout_id, l.line_id limit ${LINES_A_STATEMENT}
    ), booked as (${bookLines(run)}), counted as (
      update payouts set payment_lines = payment_lines + added.payments,
        payment_lines_minor = payment_lines_minor + added.payments_minor,
        refund_lines = refund_lines + added.refunds,
        refund_lines_minor = refund_lines_minor + added.refunds_minor
      from (${sumsOf(sql`page`)}) added where payouts.payout_id = added.payout_id
    )
    select (select count(*) from page) as lines, (select max(payout_id) from chosen) as chosen,
      last.payout_id as last_payout, last.line_id as last_line
    from (select 1) one left join (
      select payout_id, line_id from page order by payout_id desc, line_id desc limit 1
    ) last on true`.execute(trx);
  const [found] = rows;
  if (!found || found.chosen === null) return undefined;
  return Number(found.lines) < LINES_A_STATEMENT
    ? `${BigInt(found.chosen) + 1n}/0`
    : `${found.last_payout}/${found.last_line}`;
}

/** Sums by payout of rows with payout_id, payout_currency, kind, currency and amount_minor. */
function sumsOf(rows: Sql): Sql {
  const sum = (kind: 'payment' | 'refund') => sql`coalesce(sum(amount_minor)
    filter (where kind = ${sql.lit(kind)} and currency = payout_currency), 0)`;
  return sql`select payout_id, count(*) filter (where kind = 'payment') as payments,
      ${sum('payment')} as payments_minor, count(*) filter (where kind = 'refund') as refunds,
      ${sum('refund')} as refunds_minor
    from ${rows} group by payout_id`;
}

function bookLines({ connection_id: connectionId }: RunRow): Sql {
  return sql`
    insert into ledger_entries (entry_id, connection_id, phase, debit, credit, amount_minor,
      currency, payment_id, payout_reference)
    select concat_ws('|', 'line', ${escaped(sql`${connectionId}::text`)}, kind,
        ${escaped(sql`reference`)}),
      ${connectionId}, 'post',
      case kind when 'payment' then 'provider_pending' else 'provider_balance' end,
      case kind when 'payment' then 'provider_balance' else 'provider_pending' end,
      amount_minor, currency, payment_id, payout_reference
    from page where verdict = 'matched' and status = 'succeeded' and amount_minor > 0
    on conflict do nothing`;
}

function escaped(text: Sql): Sql {
  return sql`replace(replace(${text}, '%', '%25'), '|', '%7C')`;
}

/** What does not tie becomes a break, what does no longer is one; then the chosen are let go. */
export async function closePayouts(
  trx: Transaction<Tables>,
  run: RunRow,
  after = '0',
): Promise<string | undefined> {
  const { rows } = await sql<{ readonly last: string | null }>`
    select max(payout_id) as last from (select payout_id from payouts
      where counting_run = ${run.ordinal}::bigint and payout_id > ${after}::bigint
      order by payout_id limit ${PAYOUTS_A_STATEMENT}) few`.execute(trx);
  const last = rows[0]?.last ?? undefined;
  if (last === undefined) return undefined;
  const those = sql`p.counting_run = ${run.ordinal}::bigint and p.payout_id > ${after}::bigint
    and p.payout_id <= ${last}::bigint`;
  await countLinesOfSeveral(trx, those);
  await noteListed(trx, run, those);
  await bookPayouts(trx, those);
  await raiseBreaks(trx, run, causesIn(run, those));
  await explainBreaks(trx, run, vanishedIn(those));
  await sql`update payouts p set counting_run = null where ${those}`.execute(trx);
  return last;
}

/** A line in several payouts was counted in the one it names last. */
async function countLinesOfSeveral(trx: Transaction<Tables>, those: Sql): Promise<void> {
  const others = sql`(
    select p.payout_id, p.currency as payout_currency, l.kind, l.currency, l.amount_minor
    from report_lines l
    cross join lateral jsonb_array_elements_text(l.payouts) as seen (reference)
    join payouts p on p.connection_id = l.connection_id and p.payout_reference = seen.reference
    where jsonb_array_length(l.payouts) > 1 and seen.reference <> l.payout_reference and ${those}
  ) others`;
  await sql`
    update payouts set payment_lines = payment_lines + added.payments,
      payment_lines_minor = payment_lines_minor + added.payments_minor,
      refund_lines = refund_lines + added.refunds,
      refund_lines_minor = refund_lines_minor + added.refunds_minor
    from (${sumsOf(others)}) added where payouts.payout_id = added.payout_id`.execute(trx);
}

/** Its own listings say so, or those of days do, where they named it. */
async function noteListed(trx: Transaction<Tables>, run: RunRow, those: Sql): Promise<void> {
  const isListed = (kind: 'payments' | 'refunds') => sql`exists (
    select from report_listings where run_id = ${run.run_id} and kind = ${sql.lit(kind)}
      and is_complete and scope ? 'days')`;
  await sql`
    update payouts p set is_listed = true where ${those} and not is_listed
      and (payments_listed or payment_lines > 0 and ${isListed('payments')})
      and (refunds_listed or refunds_count = 0 or ${isListed('refunds')})`.execute(trx);
}

async function bookPayouts(trx: Transaction<Tables>, those: Sql): Promise<void> {
  await sql`
    insert into ledger_entries (entry_id, connection_id, phase, debit, credit, amount_minor,
      currency, payout_reference)
    select concat_ws('|', 'payout', ${escaped(sql`connection_id`)},
        ${escaped(sql`payout_reference`)}),
      connection_id, 'post', 'provider_balance', 'merchant_bank', amount_minor, currency,
      payout_reference
    from payouts p where ${those} and status = 'succeeded' and amount_minor > 0
    on conflict do nothing`.execute(trx);
}

const TIES: Sql = sql`(p.amount_minor = p.payments_minor - p.refunds_minor)`;

const IS_ITS_LINES: Sql = sql`(not p.is_listed
  or (p.payments_count, p.payments_minor, p.refunds_count, p.refunds_minor)
    = (p.payment_lines, p.payment_lines_minor, p.refund_lines, p.refund_lines_minor))`;

function causesIn(run: RunRow, those: Sql): Sql {
  const day = sql`(coalesce(p.paid_at, ${run.requested_at.toISOString()}::timestamptz)
    at time zone ${run.time_zone})::date`;
  const subject = sql`'payout' as subject, p.payout_reference as reference,
    null::text as payment_id, null::text as refund_id, null::text as provider_reference,
    null::text as refund_reference, p.payout_reference`;
  return sql`
    select 'total_differs' as kind, ${subject},
      case when ${TIES} then p.payment_lines_minor - p.refund_lines_minor
        else p.payments_minor - p.refunds_minor end as ours_minor,
      p.currency as ours_currency, p.amount_minor as theirs_minor, p.currency as theirs_currency,
      ${day} as business_day
    from payouts p where ${those} and not (${TIES} and ${IS_ITS_LINES})
    union all
    select 'payout_failed', ${subject}, p.amount_minor, p.currency, 0, p.currency, ${day}
    from payouts p where ${those} and p.status = 'failed'`;
}

function vanishedIn(those: Sql): Sql {
  return sql`
    select b.break_id, case b.kind when 'payout_failed' then ${explanation('payout')}
      else ${explanation('report')} end as explanation,
      null::text as payment_id, null::text as refund_id, p.payout_reference
    from payouts p
    cross join lateral (
      select * from breaks b where b.connection_id = p.connection_id and b.subject = 'payout'
        and b.reference = p.payout_reference and b.status = 'open' offset 0
    ) b
    where ${those} and case b.kind when 'payout_failed' then p.status <> 'failed'
      else ${TIES} and ${IS_ITS_LINES} end`;
}
