/** Comparing reported lines with ours. */
import { sql, type Transaction } from 'kysely';
import type { Tables } from '../database.js';
import { explainBreaks, explanation, raiseBreaks, type Sql } from './break-rows.js';
import type { RunRow } from './tables.js';

/**
 * Looks at a set of lines: gives each its verdict, opens what differs, explains what no longer does.
 *
 * @param those a condition on `report_lines l`
 */
export async function matchLines(trx: Transaction<Tables>, run: RunRow, those: Sql): Promise<void> {
  await giveVerdicts(trx, those);
  await raiseBreaks(trx, run, causesIn(those));
  await explainBreaks(trx, run, vanishedIn(those));
}

/**
 * Whose object a line is about, and what is captured or refunded of it. Of several payments that
 * claim an object it is the first one's; a movement reported with several amounts counts the
 * largest, as everywhere.
 */
function known(those: Sql): Sql {
  return sql`
    select l.line_id, coalesce(object.payment_id, ours.payment_id) as payment_id, ours.refund_id,
      p.currency as ours_currency, moved.minor as ours_minor,
      case
        when object.payment_id is null and ours.payment_id is null then 'missing_here'
        when p.currency <> l.currency then 'currency_differs'
        when moved.minor is null then case
          when l.kind = 'refund' and ours.refund_id is null then 'missing_here'
          else 'status_differs' end
        when moved.minor <> l.amount_minor then 'amount_differs'
        else 'matched'
      end as verdict
    from report_lines l
    left join lateral (
      select o.payment_id from provider_objects o
      where o.connection_id = l.connection_id and o.provider_reference = l.provider_reference
      order by o.ordinal limit 1
    ) object on true
    cross join lateral (
      select (array_agg(r.refund_id order by r.requested_at))[1] as refund_id,
        (array_agg(r.payment_id order by r.requested_at))[1] as payment_id
      from refunds r
      where l.kind = 'refund' and r.connection_id = l.connection_id
        and r.provider_reference = l.refund_reference
    ) ours
    left join payments p on p.payment_id = coalesce(object.payment_id, ours.payment_id)
    left join lateral (
      select sum(part.minor) as minor from (
        select max(f.amount_minor) as minor from facts f
        where f.payment_id = p.payment_id and f.object = l.provider_reference
          and f.kind = case l.kind when 'payment' then 'captured' else 'refunded' end
          and (l.kind = 'payment' or coalesce(f.part, '') = coalesce(l.refund_reference, ''))
          and f.amount_currency = p.currency
          and (coalesce(f.tip_minor, 0) = 0 or f.tip_currency = p.currency)
        group by coalesce(f.part, '')
      ) part
    ) moved on true
    where ${those}`;
}

async function giveVerdicts(trx: Transaction<Tables>, those: Sql): Promise<void> {
  await sql`
    with known as materialized (${known(those)})
    update report_lines l set verdict = known.verdict, payment_id = known.payment_id,
      refund_id = known.refund_id, ours_minor = known.ours_minor,
      ours_currency = known.ours_currency
    from known where l.line_id = known.line_id
      and (l.verdict, l.payment_id, l.refund_id, l.ours_minor, l.ours_currency)
      is distinct from (known.verdict, known.payment_id, known.refund_id, known.ours_minor,
        known.ours_currency)`.execute(trx);
}

/** How often too many a line is: in one listing, or in payouts that have not failed. */
const EXCESS: Sql = sql`greatest(l.repeats, case when jsonb_array_length(l.payouts) < 2 then 0 else (
  select count(*) - 1 from jsonb_array_elements_text(l.payouts) as seen (reference)
  where (select p.status from payouts p where p.connection_id = l.connection_id
    and p.payout_reference = seen.reference) is distinct from 'failed') end)`;

function causesIn(those: Sql): Sql {
  return sql`
    select l.verdict as kind, l.kind as subject, l.reference, l.payment_id, l.refund_id,
      l.provider_reference, l.refund_reference, l.payout_reference,
      case when l.verdict = 'status_differs' then 0
        when l.verdict <> 'missing_here' then l.ours_minor end as ours_minor,
      case when l.verdict <> 'missing_here' then l.ours_currency end as ours_currency,
      l.amount_minor as theirs_minor, l.currency as theirs_currency, l.business_day
    from report_lines l where ${those} and l.verdict not in ('matched', 'unmatched')
    union all
    select 'duplicate', l.kind, l.reference, l.payment_id, l.refund_id, l.provider_reference,
      l.refund_reference, l.payout_reference, l.amount_minor, l.currency,
      l.amount_minor * (1 + ${EXCESS}), l.currency, l.business_day
    from report_lines l
    where ${those} and (l.repeats > 0 or jsonb_array_length(l.payouts) > 1) and ${EXCESS} > 0`;
}

/**
 * Breaks of these lines whose cause is gone. A line that is there ends what was missing at the
 * provider; one in a payout ends what was late.
 */
function vanishedIn(those: Sql): Sql {
  return sql`
    select b.break_id, case
      when b.kind in ('missing_here', 'status_differs') then ${explanation('our_record')}
      when b.kind = 'paid_out_late' then ${explanation('payout')}
      when b.kind in ('amount_differs', 'currency_differs')
        and (b.theirs_minor, b.theirs_currency) = (l.amount_minor, l.currency)
        then ${explanation('our_record')}
      else ${explanation('report')} end as explanation,
      l.payment_id, l.refund_id, l.payout_reference
    from report_lines l
    cross join lateral (
      select * from breaks b where b.connection_id = l.connection_id and b.subject = l.kind
        and b.reference = l.reference and b.status = 'open' offset 0
    ) b
    where ${those} and b.kind <> l.verdict and case b.kind
      when 'duplicate' then ${EXCESS} = 0
      when 'paid_out_late' then l.payout_reference is not null
      else true end`;
}
