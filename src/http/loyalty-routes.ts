/** Loyalty registrations, for the scheme that works them off. Whose they are stands in no log. */
import { HoldfastError } from '../client/errors.js';
import { jsonAnswer, sendAnswer } from './answers.js';
import type { Api, Context } from './api.js';
import { EVERY_ROUTE, responses } from './documented.js';
import {
  loyaltyPage,
  loyaltyParams,
  loyaltyQuery,
  loyaltyRegistration,
  loyaltyResult,
} from './loyalty-schemas.js';
import { present } from '../domain/present.js';

const GUARDED = { config: { scope: ['operations', 'personal_data'] } } as const;

export function loyaltyRoutes(app: Api, { store: { loyalty } }: Context): void {
  app.route({
    ...GUARDED,
    method: 'GET',
    url: '/loyalty-registrations',
    schema: {
      operationId: 'listLoyaltyRegistrations',
      tags: ['loyalty'],
      summary: 'List loyalty registrations',
      description: 'Oldest first. Needs `operations` and `personal_data`.',
      querystring: loyaltyQuery,
      response: responses({ 200: ['A page.', loyaltyPage] }, [...EVERY_ROUTE, 503]),
    },
    handler: async ({ query, clientId, log }, reply) => {
      const { cursor, ...filter } = query;
      const page = await loyalty.list({
        ...present(filter),
        ...(cursor !== undefined && { after: cursor }),
      });
      log.info({ client: clientId, count: page.registrations.length }, 'loyalty accounts read');
      return sendAnswer(reply, jsonAnswer(200, page));
    },
  });
  app.route({
    ...GUARDED,
    method: 'POST',
    url: '/loyalty-registrations/:registrationId/done',
    schema: {
      operationId: 'completeLoyaltyRegistration',
      tags: ['loyalty'],
      summary: 'Tell that a registration is worked off',
      description:
        'If the provider registers the payment again, it is answered with this result. The first ' +
        'result stays: the same may be told again. Needs `operations` and `personal_data`.',
      params: loyaltyParams,
      body: loyaltyResult,
      response: responses({ 200: ['It is done.', loyaltyRegistration] }, [
        ...EVERY_ROUTE,
        404,
        409,
        503,
      ]),
    },
    handler: async ({ params: { registrationId }, body }, reply) => {
      const done = await loyalty.complete(registrationId, present(body ?? {}));
      if (done === undefined) {
        const message = `there is no loyalty registration ${registrationId}`;
        throw new HoldfastError({ code: 'not_found', message });
      }
      if (done === 'different') {
        const message = 'this registration is done already, with another result';
        throw new HoldfastError({ code: 'conflict', message });
      }
      return sendAnswer(reply, jsonAnswer(200, done));
    },
  });
}
