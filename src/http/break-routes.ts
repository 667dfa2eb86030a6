/** Breaks: listed, read, and closed by a person. */
import { HoldfastError } from '../client/errors.js';
import { present } from '../domain/present.js';
import type { Break } from '../domain/reconciliation.js';
import { jsonAnswer, sendAnswer } from './answers.js';
import type { Api, Context } from './api.js';
import { EVERY_ROUTE, responses } from './documented.js';
import {
  breakPage,
  breakParams,
  breakShape,
  breaksQuery,
  resolveBreak,
} from './reconciliation-schemas.js';

export function breakRoutes(app: Api, { store }: Context): void {
  app.route({
    method: 'GET',
    url: '/breaks',
    config: { scope: 'payments:read' },
    schema: {
      operationId: 'listBreaks',
      tags: ['reconciliation'],
      summary: 'List breaks',
      description: 'Differences between a provider’s reports and our records, newest first.',
      querystring: breaksQuery,
      response: responses({ 200: ['A page.', breakPage] }, [...EVERY_ROUTE, 503]),
    },
    handler: async ({ query: { cursor, ...filter } }, reply) => {
      const after = cursor === undefined ? {} : { after: cursor };
      const page = await store.breaks.list({ ...present(filter), ...after });
      return sendAnswer(reply, jsonAnswer(200, page));
    },
  });
  app.route({
    method: 'GET',
    url: '/breaks/:breakId',
    config: { scope: 'payments:read' },
    schema: {
      operationId: 'getBreak',
      tags: ['reconciliation'],
      summary: 'Get a break',
      params: breakParams,
      response: responses({ 200: ['The break.', breakShape] }, [...EVERY_ROUTE, 404, 503]),
    },
    handler: async ({ params: { breakId } }, reply) =>
      sendAnswer(reply, jsonAnswer(200, known(await store.breaks.get(breakId), breakId))),
  });
  app.route({
    method: 'POST',
    url: '/breaks/:breakId/resolve',
    config: { scope: 'operations' },
    schema: {
      operationId: 'resolveBreak',
      tags: ['reconciliation'],
      summary: 'Close a break',
      description:
        'Kept with who and why. It opens again when its amounts change. One that is not open ' +
        'stays as it is; a repeat changes nothing.',
      params: breakParams,
      body: resolveBreak,
      response: responses({ 200: ['The break.', breakShape] }, [
        ...EVERY_ROUTE,
        404,
        413,
        415,
        503,
      ]),
    },
    handler: async ({ params: { breakId }, body }, reply) => {
      const resolved = await store.breaks.resolve({ breakId, ...body });
      return sendAnswer(reply, jsonAnswer(200, known(resolved, breakId)));
    },
  });
}

function known(found: Break | undefined, breakId: string): Break {
  if (found) return found;
  throw new HoldfastError({ code: 'not_found', message: `there is no break ${breakId}` });
}
