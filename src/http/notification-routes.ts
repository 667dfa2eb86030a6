/** What providers told us, for operators: listed, read and replayed. */
import { HoldfastError } from '../client/errors.js';
import { jsonAnswer, sendAnswer } from './answers.js';
import type { Api, Context } from './api.js';
import { EVERY_ROUTE, responses } from './documented.js';
import { present } from '../domain/present.js';
import { notificationParams, notificationsQuery } from './parameters.js';
import { notification, notificationPage, refusalList } from './notification-schemas.js';

const GUARDED = { config: { scope: 'operations' } } as const;

export function notificationRoutes(app: Api, { store: { inbox } }: Context): void {
  app.route({
    ...GUARDED,
    method: 'GET',
    url: '/notifications',
    schema: {
      operationId: 'listNotifications',
      tags: ['notifications'],
      summary: 'List notifications',
      description: 'Newest first, without their bodies.',
      querystring: notificationsQuery,
      response: responses({ 200: ['A page.', notificationPage] }, [...EVERY_ROUTE, 503]),
    },
    handler: async ({ query }, reply) => {
      const { cursor, ...filter } = query;
      const page = await inbox.list({
        ...present(filter),
        ...(cursor !== undefined && { after: cursor }),
      });
      return sendAnswer(reply, jsonAnswer(200, page));
    },
  });
  app.route({
    ...GUARDED,
    method: 'GET',
    url: '/notifications/refusals',
    schema: {
      operationId: 'listRefusals',
      tags: ['notifications'],
      summary: 'Count refused notifications',
      response: responses({ 200: ['Newest day first.', refusalList] }, [...EVERY_ROUTE, 503]),
    },
    handler: async (_request, reply) =>
      sendAnswer(reply, jsonAnswer(200, { refusals: await inbox.refusals() })),
  });
  app.route({
    ...GUARDED,
    method: 'GET',
    url: '/notifications/:notificationId',
    schema: {
      operationId: 'getNotification',
      tags: ['notifications'],
      summary: 'Get a notification as it came',
      params: notificationParams,
      response: responses({ 200: ['With its body.', notification] }, [...EVERY_ROUTE, 404, 503]),
    },
    handler: async ({ params }, reply) => {
      const found = await inbox.get(params.notificationId);
      if (!found) throw notFound(params.notificationId);
      const body = Buffer.from(found.body).toString('base64');
      return sendAnswer(reply, jsonAnswer(200, { ...found, body }));
    },
  });
  app.route({
    ...GUARDED,
    method: 'POST',
    url: '/notifications/:notificationId/replay',
    schema: {
      operationId: 'replayNotification',
      tags: ['notifications'],
      summary: 'Deliver a notification again',
      params: notificationParams,
      response: responses({ 202: ['It will be delivered in a moment.', notificationParams] }, [
        ...EVERY_ROUTE,
        404,
        503,
      ]),
    },
    handler: async ({ params }, reply) => {
      if (!(await inbox.replay(params.notificationId))) throw notFound(params.notificationId);
      return sendAnswer(reply, jsonAnswer(202, params));
    },
  });
}

function notFound(id: string): HoldfastError {
  return new HoldfastError({ code: 'not_found', message: `there is no notification ${id}` });
}
