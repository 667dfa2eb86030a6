/** Payouts as the provider reported them, and the lines they are made of. */
import { HoldfastError } from '../client/errors.js';
import { present } from '../domain/present.js';
import type { StoredPayout } from '../domain/reconciliation.js';
import type { PayoutKey } from '../store/reconciling/contract.js';
import type { Store } from '../store/store.js';
import { jsonAnswer, sendAnswer } from './answers.js';
import type { Api, Context } from './api.js';
import { EVERY_ROUTE, responses, withFormats } from './documented.js';
import { formatOf, sendCsv } from './formats.js';
import {
  linePage,
  linesQuery,
  payout,
  payoutPage,
  payoutParams,
  payoutsQuery,
} from './reconciliation-schemas.js';
import { CSV_OF_LINES, csvOfLine } from './report-csv.js';

const LINES_A_PAGE = 1_000;

export function payoutRoutes(app: Api, { store }: Context): void {
  app.route({
    method: 'GET',
    url: '/payouts',
    config: { scope: 'payments:read' },
    schema: {
      operationId: 'listPayouts',
      tags: ['reconciliation'],
      summary: 'List payouts',
      description: 'As reconciliation learned of them, newest first.',
      querystring: payoutsQuery,
      response: responses({ 200: ['A page.', payoutPage] }, [...EVERY_ROUTE, 503]),
    },
    handler: async ({ query: { cursor, ...filter } }, reply) => {
      const after = cursor === undefined ? {} : { after: cursor };
      const page = await store.payouts.list({ ...present(filter), ...after });
      return sendAnswer(reply, jsonAnswer(200, page));
    },
  });
  app.route({
    method: 'GET',
    url: '/payouts/:connectionId/:payoutReference',
    config: { scope: 'payments:read' },
    schema: {
      operationId: 'getPayout',
      tags: ['reconciliation'],
      summary: 'Get a payout',
      params: payoutParams,
      response: responses({ 200: ['The payout.', payout] }, [...EVERY_ROUTE, 404, 503]),
    },
    handler: async ({ params }, reply) =>
      sendAnswer(reply, jsonAnswer(200, await payoutOf(store, params))),
  });
  app.route({
    method: 'GET',
    url: '/payouts/:connectionId/:payoutReference/lines',
    config: { scope: 'payments:read' },
    schema: {
      operationId: 'listPayoutLines',
      tags: ['reconciliation'],
      summary: 'List what a payout pays',
      description: 'A page as JSON; as CSV, all of it, whatever the page.',
      params: payoutParams,
      querystring: linesQuery,
      response: withFormats(
        responses({ 200: ['Its lines.', linePage] }, [...EVERY_ROUTE, 404, 503]),
        ['text/csv'],
      ),
    },
    handler: async (request, reply) => {
      const { params, query } = request;
      await payoutOf(store, params);
      const format = formatOf(request, { asked: query.format, offered: ['json', 'csv'] });
      void reply.header('vary', 'accept');
      if (format === 'csv') {
        const filename = `payout-${params.payoutReference}`;
        return sendCsv(reply, { filename, parts: csv(store, params) });
      }
      const { limit, cursor } = query;
      const page = await store.payouts.lines(params, {
        limit,
        ...(cursor !== undefined && { after: cursor }),
      });
      return sendAnswer(reply, jsonAnswer(200, page));
    },
  });
}

async function payoutOf(store: Store, key: PayoutKey): Promise<StoredPayout> {
  const found = await store.payouts.get(key);
  if (found) return found;
  const message = `connection ${key.connectionId} has no payout ${key.payoutReference}`;
  throw new HoldfastError({ code: 'not_found', message });
}

async function* csv(store: Store, key: PayoutKey): AsyncGenerator<string> {
  yield CSV_OF_LINES;
  let after: string | undefined;
  do {
    const page = await store.payouts.lines(key, {
      limit: LINES_A_PAGE,
      ...(after !== undefined && { after }),
    });
    yield page.lines.map(csvOfLine).join('');
    after = page.nextCursor;
  } while (after !== undefined);
}
