/** How matching writes breaks: in sets, without reading them. */
import { sql, type RawBuilder, type Transaction } from 'kysely';
import type { ExplanationKind } from '../../domain/reconciliation.js';
import type { Tables } from '../database.js';
import type { RunRow } from './tables.js';

export type Sql = RawBuilder<unknown>;

/** ISO 8601, UTC. */
export const NOW: Sql = sql`to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const SAME_AMOUNTS: Sql = sql`(breaks.ours_minor, breaks.ours_currency, breaks.theirs_minor,
    breaks.theirs_currency)
  is not distinct from (excluded.ours_minor, excluded.ours_currency, excluded.theirs_minor,
    excluded.theirs_currency)`;

const STAYS_AS_IT_IS: Sql = sql`(breaks.status = 'open'
  or breaks.status = 'closed' and ${SAME_AMOUNTS})`;

/**
 * Opens a break for each cause; one that was explained, or closed at other amounts, opens again.
 *
 * @param causes a select of kind, subject, reference, payment_id, refund_id, provider_reference,
 *   refund_reference, payout_reference, ours_minor, ours_currency, theirs_minor, theirs_currency
 *   and business_day; of one kind and reference at most one row
 */
export async function raiseBreaks(
  trx: Transaction<Tables>,
  run: RunRow,
  causes: Sql,
): Promise<void> {
  const runNumber = sql`${run.ordinal}::bigint`;
  await sql`
    with causes as (${causes}), raised as (
      insert into breaks (break_id, connection_id, kind, subject, reference, status, payment_id,
        refund_id, provider_reference, refund_reference, payout_reference, ours_minor,
        ours_currency, theirs_minor, theirs_currency, business_day, history, first_run, last_run)
      select left(encode(sha256(convert_to(jsonb_build_array(${run.connection_id}::text, kind,
          subject, reference)::text, 'UTF8')), 'hex'), 32),
        ${run.connection_id}, kind, subject, reference, 'open', payment_id, refund_id,
        provider_reference, refund_reference, payout_reference, ours_minor, ours_currency,
        theirs_minor, theirs_currency, business_day,
        jsonb_build_array(jsonb_build_object('status', 'open', 'at', ${NOW},
          'runId', ${run.run_id}::text, 'oursMinor', ours_minor::text,
          'oursCurrency', ours_currency, 'theirsMinor', theirs_minor::text,
          'theirsCurrency', theirs_currency)),
        ${runNumber}, ${runNumber}
      from causes
      on conflict (break_id) do update set
        payment_id = excluded.payment_id, refund_id = excluded.refund_id,
        provider_reference = excluded.provider_reference,
        refund_reference = excluded.refund_reference,
        payout_reference = excluded.payout_reference,
        ours_minor = excluded.ours_minor, ours_currency = excluded.ours_currency,
        theirs_minor = excluded.theirs_minor, theirs_currency = excluded.theirs_currency,
        business_day = excluded.business_day, last_run = excluded.last_run,
        status = case when ${STAYS_AS_IT_IS} then breaks.status else 'open' end,
        explanation = null,
        resolution = case when ${STAYS_AS_IT_IS} then breaks.resolution end,
        history = case when ${STAYS_AS_IT_IS} then breaks.history
          else breaks.history || excluded.history end
      returning breaks.*
    )
    ${noteFound(runNumber, sql`raised`)}`.execute(trx);
}

/**
 * Explains open breaks, which get the ids that are known by now.
 *
 * @param vanished a select of break_id, explanation, payment_id, refund_id and payout_reference of
 *   breaks whose cause is gone
 */
export async function explainBreaks(
  trx: Transaction<Tables>,
  run: RunRow,
  vanished: Sql,
): Promise<void> {
  const runNumber = sql`${run.ordinal}::bigint`;
  await sql`
    with vanished as (${vanished}), explained as (
      update breaks set status = 'explained', last_run = ${runNumber},
        payment_id = coalesce(vanished.payment_id, breaks.payment_id),
        refund_id = coalesce(vanished.refund_id, breaks.refund_id),
        payout_reference = coalesce(vanished.payout_reference, breaks.payout_reference),
        explanation = jsonb_build_object('by', vanished.explanation, 'runId', ${run.run_id}::text,
          'at', ${NOW}),
        history = history || jsonb_build_object('status', 'explained', 'at', ${NOW},
          'runId', ${run.run_id}::text, 'explanation', vanished.explanation)
      from vanished where breaks.break_id = vanished.break_id and breaks.status = 'open'
      returning breaks.*
    )
    ${noteFound(runNumber, sql`explained`)}`.execute(trx);
}

/** How the run left them: its report stays as it is, whatever becomes of them later. */
function noteFound(runNumber: Sql, those: Sql): Sql {
  return sql`insert into run_breaks (run, break_id, status, ours_minor, ours_currency, theirs_minor,
      theirs_currency, explanation, resolution)
    select ${runNumber}, break_id, status, ours_minor, ours_currency, theirs_minor,
      theirs_currency, explanation, resolution from ${those}
    on conflict (run, break_id) do update set status = excluded.status,
      ours_minor = excluded.ours_minor, ours_currency = excluded.ours_currency,
      theirs_minor = excluded.theirs_minor, theirs_currency = excluded.theirs_currency,
      explanation = excluded.explanation, resolution = excluded.resolution`;
}

/** An explanation as SQL. */
export function explanation(kind: ExplanationKind): Sql {
  return sql.lit(kind);
}
