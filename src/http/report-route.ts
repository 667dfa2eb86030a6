/** The report of a run: JSON for programs, CSV for spreadsheets, a page for people. */
import { HoldfastError } from '../client/errors.js';
import type { FoundBreak, ReconciliationRun } from '../domain/reconciliation.js';
import type { Store } from '../store/store.js';
import { jsonAnswer, sendAnswer } from './answers.js';
import type { Api, Context } from './api.js';
import { EVERY_ROUTE, responses, withFormats } from './documented.js';
import { formatOf, sendCsv } from './formats.js';
import { report, reportQuery, runParams } from './reconciliation-schemas.js';
import { csvOfBreak, csvOfTotals } from './report-csv.js';
import { reportPage, type Report } from './report-page.js';
import { REPORT_POLICY } from './report-style.js';

/** Of breaks, so many are told in JSON and on the page. */
const BREAKS_TOLD = 1_000;
const BREAKS_A_PAGE = 500;

export function reportRoute(app: Api, { store }: Context): void {
  app.route({
    method: 'GET',
    url: '/reconciliations/:runId/report',
    config: { scope: 'payments:read' },
    schema: {
      operationId: 'getReconciliationReport',
      tags: ['reconciliation'],
      summary: 'Get the report of a run',
      description:
        'How it left things: once it has ended, the report stays the same. As JSON, as CSV with ' +
        'one row for each total and break, or as a page to be read and printed.',
      params: runParams,
      querystring: reportQuery,
      response: withFormats(
        responses({ 200: ['The report.', report] }, [...EVERY_ROUTE, 404, 503]),
        ['text/csv', 'text/html'],
      ),
    },
    handler: async (request, reply) => {
      const run = await runOf(store, request.params.runId);
      const offered = ['json', 'csv', 'html'] as const;
      const format = formatOf(request, { asked: request.query.format, offered });
      void reply.header('vary', 'accept');
      if (format === 'csv') {
        return sendCsv(reply, { filename: `reconciliation-${run.runId}`, parts: csv(store, run) });
      }
      const told = await reportOf(store, run);
      if (format === 'json') return sendAnswer(reply, jsonAnswer(200, told));
      return reply
        .header('content-security-policy', REPORT_POLICY)
        .type('text/html; charset=utf-8')
        .send(reportPage(told));
    },
  });
}

async function runOf(store: Store, runId: string): Promise<ReconciliationRun> {
  const run = await store.reconciliations.get(runId);
  if (run) return run;
  throw new HoldfastError({ code: 'not_found', message: `there is no run ${runId}` });
}

async function reportOf(store: Store, run: ReconciliationRun): Promise<Report> {
  const payouts = await store.reconciliations.payoutsFound(run.runId);
  const page = await store.reconciliations.breaksFound(run.runId, { limit: BREAKS_TOLD });
  const furtherBreaks = page.nextCursor === undefined ? 0 : countOf(run) - page.breaks.length;
  return { run, payouts, breaks: page.breaks, furtherBreaks: Math.max(furtherBreaks, 0) };
}

function countOf({ totals }: ReconciliationRun): number {
  return (totals?.breaks ?? [])
    .flatMap(({ open, explained, closed }) => [open, explained, closed])
    .reduce((sum, { count }) => sum + count, 0);
}

async function* csv(store: Store, run: ReconciliationRun): AsyncGenerator<string> {
  yield csvOfTotals(run);
  for await (const breaks of breaksOf(store, run.runId)) {
    yield breaks.map((found) => csvOfBreak(run, found)).join('');
  }
}

async function* breaksOf(store: Store, runId: string): AsyncGenerator<readonly FoundBreak[]> {
  let after: string | undefined;
  do {
    const page = await store.reconciliations.breaksFound(runId, {
      limit: BREAKS_A_PAGE,
      ...(after !== undefined && { after }),
    });
    yield page.breaks;
    after = page.nextCursor;
  } while (after !== undefined);
}
