import { sql, type Kysely } from 'kysely';
import type { ReconciliationRun } from '../../domain/reconciliation.js';
import type { Tables } from '../database.js';
import { UnknownRun } from '../errors.js';
import { toJson, toJsonOrNull, toTime } from '../values.js';
import type { Reconciliations, RunEnd } from './contract.js';
import { selectLines } from './line-rows.js';
import { match } from './matching.js';
import { takePage } from './pages.js';
import { breaksFound, keepPayouts, payoutsFound, unsettledPayouts } from './reports.js';
import { getRun, listRuns, lockRun, runOf, startRun } from './runs.js';
import { totalsOf } from './totals.js';
import { awaited } from './unreported.js';

export function createReconciliations(db: Kysely<Tables>): Reconciliations {
  return {
    start: (request) => startRun(db, request),
    takePage: (page) => takePage(db, page),
    awaited: (runId) => awaited(db, runId),
    match: (runId, options) => match(db, runId, options),
    async unknownLines(runId, page) {
      const { ordinal } = await runOf(db, runId);
      const those = sql`l.last_run = ${ordinal}::bigint
        and l.verdict in ('missing_here', 'status_differs')`;
      return selectLines(db, those, page);
    },
    unsettledPayouts: (runId, page) => unsettledPayouts(db, runId, page),
    breaksFound: (runId, page) => breaksFound(db, runId, page),
    payoutsFound: (runId) => payoutsFound(db, runId),
    finish: (runId, end) => finish(db, runId, end),
    get: (runId) => getRun(db, runId),
    list: (filter) => listRuns(db, filter),
  };
}

async function finish(
  db: Kysely<Tables>,
  runId: string,
  { at, problem }: RunEnd,
): Promise<ReconciliationRun> {
  await db.transaction().execute(async (trx) => {
    const run = await lockRun(trx, runId);
    if (run.status !== 'running') return;
    await trx
      .updateTable('reconciliations')
      .set({
        status: problem ? 'failed' : 'finished',
        totals: toJson(await totalsOf(trx, run)),
        problem: toJsonOrNull(problem),
        finished_at: toTime(at),
      })
      .where('run_id', '=', runId)
      .execute();
    await keepPayouts(trx, run);
  });
  const run = await getRun(db, runId);
  if (!run) throw new UnknownRun(runId);
  return run;
}
