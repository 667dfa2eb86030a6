/** Reconciliation: runs and their reports, payouts, breaks, and the ledger. */
import type { AskedReconciliation } from '../client/reconciliations.js';
import { HoldfastError } from '../client/errors.js';
import type { z } from 'zod';
import { dayOf } from '../domain/calendar.js';
import { present } from '../domain/present.js';
import { checkDays } from '../domain/reconciliation-plan.js';
import type { ReconciliationRun, ReportScope } from '../domain/reconciliation.js';
import type { Connections } from '../providers/connections.js';
import type { ReportCapability } from '../providers/provider.js';
import { jsonAnswer, sendAnswer } from './answers.js';
import type { Api, Context } from './api.js';
import { breakRoutes } from './break-routes.js';
import { EVERY_ROUTE, responses } from './documented.js';
import { answerCommand, type Done } from './idempotency.js';
import { optionalKeyHeader } from './parameters.js';
import { payoutRoutes } from './payout-routes.js';
import { refusedFields } from './problems.js';
import {
  acceptedRun,
  askReconciliation,
  balances,
  ledgerQuery,
  reconciliationRun,
  runPage,
  runParams,
  runsQuery,
} from './reconciliation-schemas.js';
import { reportRoute } from './report-route.js';
import { connectionOf } from './connection-routes.js';

export function reconciliationRoutes(app: Api, context: Context): void {
  runningRoute(app, context);
  readingRoutes(app, context);
  reportRoute(app, context);
  payoutRoutes(app, context);
  breakRoutes(app, context);
  ledgerRoute(app, context);
}

function runningRoute(app: Api, context: Context): void {
  app.route({
    method: 'POST',
    url: '/reconciliations',
    config: { scope: 'operations' },
    schema: {
      operationId: 'reconcile',
      tags: ['reconciliation'],
      summary: 'Compare with the provider',
      description:
        'Business days, or a payout; each connection with reports does this by itself every ' +
        'morning. One that is under way for the same is joined. Data that is not there yet is ' +
        'waited for.',
      headers: optionalKeyHeader,
      body: askReconciliation,
      response: responses(
        {
          200: ['It has ended.', reconciliationRun],
          202: ['Under way.', acceptedRun],
        },
        [...EVERY_ROUTE, 404, 409, 413, 415, 422, 503],
      ),
    },
    handler: (request, reply) => {
      const asked = askedIn(context, request.body);
      return answerCommand(context, { request, reply }, () => reconciled(context, asked));
    },
  });
}

function readingRoutes(app: Api, context: Context): void {
  const { store } = context;
  app.route({
    method: 'GET',
    url: '/reconciliations',
    config: { scope: 'payments:read' },
    schema: {
      operationId: 'listReconciliations',
      tags: ['reconciliation'],
      summary: 'List runs',
      description: 'Newest first. `nextCursor` is absent on the last page.',
      querystring: runsQuery,
      response: responses({ 200: ['A page.', runPage] }, [...EVERY_ROUTE, 503]),
    },
    handler: async ({ query: { cursor, ...filter } }, reply) => {
      const after = cursor === undefined ? {} : { after: cursor };
      const page = await store.reconciliations.list({ ...present(filter), ...after });
      return sendAnswer(reply, jsonAnswer(200, page));
    },
  });
  app.route({
    method: 'GET',
    url: '/reconciliations/:runId',
    config: { scope: 'payments:read' },
    schema: {
      operationId: 'getReconciliation',
      tags: ['reconciliation'],
      summary: 'Get a run',
      params: runParams,
      response: responses({ 200: ['The run.', reconciliationRun] }, [...EVERY_ROUTE, 404, 503]),
    },
    handler: async ({ params: { runId } }, reply) => {
      const run = await store.reconciliations.get(runId);
      if (run) return sendAnswer(reply, jsonAnswer(200, run));
      throw new HoldfastError({ code: 'not_found', message: `there is no run ${runId}` });
    },
  });
}

function ledgerRoute(app: Api, { store }: Context): void {
  app.route({
    method: 'GET',
    url: '/ledger',
    config: { scope: 'payments:read' },
    schema: {
      operationId: 'getLedger',
      tags: ['reconciliation'],
      summary: 'Get the balances of the ledger',
      description: 'Of each account of a connection, or of all, with the trial balance.',
      querystring: ledgerQuery,
      response: responses({ 200: ['The balances.', balances] }, [...EVERY_ROUTE, 503]),
    },
    handler: async ({ query: { connectionId } }, reply) =>
      sendAnswer(reply, jsonAnswer(200, await store.ledger.balances(connectionId))),
  });
}

/** @throws HoldfastError, ApiError */
function askedIn(
  { connections, now }: Context,
  body: z.infer<typeof askReconciliation>,
): AskedReconciliation {
  const { connectionId } = body;
  const reports = reportsOf(connections, connectionId);
  const scope = scopeOf(body);
  if ('days' in scope) {
    const today = dayOf(new Date(now()).toISOString(), reports.timeZone);
    const { maxDays } = reports;
    const violations = checkDays(scope.days, { today, maxDays });
    if (violations.length > 0) throw refusedFields(named(violations, body));
  }
  return { connectionId, ...scope };
}

function scopeOf({
  day,
  from,
  to,
  payoutReference,
}: z.infer<typeof askReconciliation>): ReportScope {
  const days = day === undefined ? { from, to } : { from: day, to: day };
  const isOfDay = day !== undefined && (from ?? to) === undefined;
  const isOfRange = day === undefined && from !== undefined && to !== undefined;
  const isOfPayout = payoutReference !== undefined && (day ?? from ?? to) === undefined;
  if (isOfPayout) return { payoutReference };
  if (payoutReference === undefined && (isOfDay || isOfRange)) {
    return { days: days as { readonly from: string; readonly to: string } };
  }
  throw refusedFields([
    { field: 'body', rule: 'must have either day, or from and to, or payoutReference' },
  ]);
}

/** As the caller wrote them. */
function named(
  violations: ReturnType<typeof checkDays>,
  { day }: z.infer<typeof askReconciliation>,
): ReturnType<typeof checkDays> {
  return day === undefined ? violations : violations.map((each) => ({ ...each, field: 'day' }));
}

function reportsOf(connections: Connections, connectionId: string): ReportCapability {
  const { reports } = connectionOf(connections, connectionId);
  if (reports) return reports;
  const message = `connection ${connectionId} has no reports to compare with`;
  throw new HoldfastError({ code: 'unsupported', message });
}

async function reconciled({ client, store }: Context, asked: AskedReconciliation): Promise<Done> {
  const answer = await client.reconciliations.run(asked);
  if (answer.kind === 'accepted') return underWay(answer.runId);
  const { runId } = answer.result;
  const run: ReconciliationRun | undefined = await store.reconciliations.get(runId);
  return run ? { answer: jsonAnswer(200, run), isFinal: true } : underWay(runId);
}

function underWay(runId: string): Done {
  const location = { location: `/v1/reconciliations/${runId}` };
  return { answer: jsonAnswer(202, { runId }, location), isFinal: true };
}
