import { sql, type Kysely, type Transaction } from 'kysely';
import type { Tables } from '../database.js';
import { matchLines } from './match-lines.js';
import {
  choosePayouts,
  choosePayoutsByReference,
  choosePayoutsOf,
  closePayouts,
  countLines,
} from './match-payouts.js';
import { lockRun } from './runs.js';
import type { RunRow } from './tables.js';
import { raiseLateFacts, raiseLateLines, raiseMissing } from './unreported.js';

/**
 * A bounded piece of matching, in a transaction of its own. Goes on after `after`, and answers
 * where to go on; undefined when its phase is done. Doing it again changes nothing.
 */
type Step = (
  trx: Transaction<Tables>,
  run: RunRow,
  after: string | undefined,
) => Promise<string | undefined>;

const LINES_A_STEP = 5_000;
const BREAKS_A_STEP = 1_000;

/** In this order: what is open is looked at before payouts, whose lines it may change. */
const PHASES: readonly (readonly [name: string, step: Step])[] = [
  ['payouts_chosen', choosePayouts],
  ['lines', matchSeenLines],
  ['open_breaks', lookAtOpenBreaks],
  ['missing', raiseMissing],
  ['late_lines', raiseLateLines],
  ['late_facts', raiseLateFacts],
  ['payout_lines', countLines],
  ['payouts', closePayouts],
];

export async function match(
  db: Kysely<Tables>,
  runId: string,
  { onChunk }: { readonly onChunk?: () => void } = {},
): Promise<void> {
  while (await db.transaction().execute((trx) => matchSome(trx, runId))) onChunk?.();
}

/** Whether there is more to do. */
async function matchSome(trx: Transaction<Tables>, runId: string): Promise<boolean> {
  const run = await lockRun(trx, runId);
  if (run.status !== 'running') return false;
  const at = Math.max(
    PHASES.findIndex(([name]) => name === run.match_phase),
    0,
  );
  const next = await PHASES[at]?.[1](trx, run, run.match_after ?? undefined);
  const phase = next === undefined ? PHASES[at + 1]?.[0] : PHASES[at]?.[0];
  await trx
    .updateTable('reconciliations')
    .set({ match_phase: phase ?? null, match_after: next ?? null })
    .where('run_id', '=', runId)
    .execute();
  return phase !== undefined;
}

async function matchSeenLines(
  trx: Transaction<Tables>,
  run: RunRow,
  after = '0',
): Promise<string | undefined> {
  const { rows } = await sql<{ readonly last: string | null }>`
    select max(line_id) as last from (select line_id from report_lines
      where last_run = ${run.ordinal}::bigint and line_id > ${after}::bigint
      order by line_id limit ${LINES_A_STEP}) few`.execute(trx);
  const last = rows[0]?.last ?? undefined;
  if (last === undefined) return undefined;
  const those = sql`(l.last_run = ${run.ordinal}::bigint and l.line_id > ${after}::bigint
    and l.line_id <= ${last}::bigint)`;
  await matchLines(trx, run, those);
  await choosePayoutsOf(trx, run, those);
  return last;
}

/** Lines and payouts whose breaks are open, whichever run saw them. */
async function lookAtOpenBreaks(
  trx: Transaction<Tables>,
  run: RunRow,
  after = '0',
): Promise<string | undefined> {
  const { rows } = await sql<OpenBreak>`
    select b.ordinal, b.subject, b.reference, l.line_id
    from (select * from breaks where connection_id = ${run.connection_id} and status = 'open'
      and ordinal > ${after}::bigint
      order by ordinal limit ${BREAKS_A_STEP}) b
    left join lateral (
      select line_id from report_lines l where l.connection_id = b.connection_id
        and l.kind = b.subject and l.reference = b.reference
        and l.last_run <> ${run.ordinal}::bigint limit 1
    ) l on true
    order by b.ordinal`.execute(trx);
  const ids = rows.flatMap(({ line_id: id }) => id ?? []);
  if (ids.length > 0) {
    const those = sql`l.line_id in (
      select value::bigint from jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`;
    await matchLines(trx, run, those);
    await choosePayoutsOf(trx, run, those);
  }
  const payouts = rows.filter(({ subject }) => subject === 'payout');
  const references = payouts.map(({ reference }) => reference);
  if (references.length > 0) await choosePayoutsByReference(trx, run, references);
  return rows.at(-1)?.ordinal;
}

interface OpenBreak {
  readonly ordinal: string;
  readonly subject: string;
  readonly reference: string;
  /** Of the line it is about, unless this run has seen that anyway. */
  readonly line_id: string | null;
}
