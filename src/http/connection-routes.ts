/** Connections, and what providers tell of their payments: no workflow, nothing stored. */
import { HoldfastError } from '../client/errors.js';
import type { Connections } from '../providers/connections.js';
import {
  recoveriesOf,
  type Connection,
  type PaymentCapability,
  type SearchResult,
} from '../providers/provider.js';
import { jsonAnswer, sendAnswer } from './answers.js';
import type { Api, Context } from './api.js';
import { EVERY_ROUTE, responses } from './documented.js';
import { refusedFields } from './problems.js';
import { present } from '../domain/present.js';
import { connectionParams, providerPaymentsQuery } from './parameters.js';
import {
  connectionList,
  connectionUrls,
  providerPaymentPage,
  sweepResult,
} from './connection-schemas.js';

const DAY_MS = 86_400_000;

export function connectionRoutes(app: Api, context: Context): void {
  const { connections, now } = context;
  app.route({
    method: 'GET',
    url: '/connections',
    config: { scope: 'payments:read' },
    schema: {
      operationId: 'listConnections',
      tags: ['connections'],
      summary: 'List connections',
      response: responses({ 200: ['All of them.', connectionList] }, EVERY_ROUTE),
    },
    handler: (_request, reply) => {
      const listed = connections.ids().map((id) => describe(connections, id));
      return sendAnswer(reply, jsonAnswer(200, { connections: listed }));
    },
  });
  app.route({
    method: 'GET',
    url: '/connections/:connectionId/provider-payments',
    config: { scope: 'payments:read' },
    schema: {
      operationId: 'searchProviderPayments',
      tags: ['connections'],
      summary: 'Search payments at the provider',
      description: 'Asks the provider itself, newest first.',
      params: connectionParams,
      querystring: providerPaymentsQuery,
      response: responses({ 200: ['A page.', providerPaymentPage] }, [
        ...EVERY_ROUTE,
        404,
        422,
        502,
        503,
      ]),
    },
    handler: async ({ params, query }, reply) => {
      const search = searchOf(connections, params.connectionId);
      const { status, from, to, ...rest } = query;
      const toMs = to === undefined ? now() : Date.parse(to);
      const fromMs = from === undefined ? toMs - DAY_MS : Date.parse(from);
      if (fromMs > toMs) {
        throw refusedFields([{ field: 'from', rule: 'must not be after to' }]);
      }
      const result = await search({
        ...present(rest),
        ...(status !== undefined && { providerStatuses: [status].flat() }),
        from: new Date(fromMs).toISOString(),
        to: new Date(toMs).toISOString(),
      });
      return sendAnswer(reply, jsonAnswer(200, pageOf(result, query)));
    },
  });
  app.route({
    method: 'GET',
    url: '/connections/:connectionId/urls',
    config: { scope: 'operations' },
    schema: {
      operationId: 'getConnectionUrls',
      tags: ['connections'],
      summary: 'Get what to enter at the provider',
      description: 'They hold a token: whoever knows them can post there, though not in its name.',
      params: connectionParams,
      response: responses({ 200: ['Those that there are.', connectionUrls] }, [
        ...EVERY_ROUTE,
        404,
      ]),
    },
    handler: ({ params: { connectionId } }, reply) => {
      connectionOf(connections, connectionId);
      const urls = {
        notificationUrl: connections.notificationUrl(connectionId),
        loyaltyUrl: connections.loyaltyUrl(connectionId),
      };
      return sendAnswer(reply, jsonAnswer(200, present(urls)));
    },
  });
  app.route({
    method: 'POST',
    url: '/connections/:connectionId/sweep',
    config: { scope: 'operations' },
    schema: {
      operationId: 'sweepConnection',
      tags: ['connections'],
      summary: 'Look for what no notification told',
      description:
        'Goes through the payments at the provider since the last sweep. This happens by itself ' +
        'every few minutes. What is new reaches its payment within seconds of the answer.',
      params: connectionParams,
      response: responses(
        {
          200: ['What was found.', sweepResult],
          202: ['Under way.', connectionParams],
        },
        [...EVERY_ROUTE, 404, 422, 502, 503],
      ),
    },
    handler: async ({ params }, reply) => {
      searchOf(connections, params.connectionId);
      const result = await context.client.sweep(params.connectionId);
      return sendAnswer(reply, result ? jsonAnswer(200, result) : jsonAnswer(202, params));
    },
  });
}

function describe(connections: Connections, connectionId: string) {
  const connection = connections.get(connectionId);
  const { payments, notifications, provider } = connection ?? {};
  return {
    connectionId,
    provider,
    operations: payments ? recoveriesOf(payments.operations) : {},
    canSearch: payments?.search !== undefined,
    takesNotifications: notifications !== undefined,
  };
}

function searchOf(
  connections: Connections,
  connectionId: string,
): NonNullable<PaymentCapability['search']> {
  const { search } = connectionOf(connections, connectionId).payments ?? {};
  if (search) return search;
  const message = `connection ${connectionId} cannot search payments`;
  throw new HoldfastError({ code: 'unsupported', message });
}

/** @throws HoldfastError `not_found` */
export function connectionOf(connections: Connections, connectionId: string): Connection {
  const connection = connections.get(connectionId);
  if (connection) return connection;
  const message = `there is no connection ${connectionId}`;
  throw new HoldfastError({ code: 'not_found', message });
}

function pageOf(
  result: SearchResult,
  { page, pageSize }: { readonly page: number; readonly pageSize: number },
) {
  if (result.kind === 'unclear') throw new HoldfastError(result.problem);
  const { payments, totalPayments, totalPages } = result;
  // A notification URL lets its holder post to us, so it is nobody else's to know.
  const told = payments.map(({ facts: _facts, notificationUrl: _url, ...payment }) => payment);
  return { payments: told, page, pageSize, totalPayments, totalPages };
}
