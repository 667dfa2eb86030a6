/** Our own public keys, for providers that verify what we sign: no key, no store, no Temporal. */
import { jsonAnswer, sendAnswer } from './answers.js';
import type { Api, Context } from './api.js';
import { responses } from './documented.js';
import { connectionParams } from './parameters.js';
import { ApiError } from './problems.js';
import { keySet } from './connection-schemas.js';

/** Short beside the hours that a provider keeps it: a new key is to be seen soon. */
const MAX_AGE_S = 300;

export function keySetRoute(app: Api, { connections }: Context): void {
  app.route({
    method: 'GET',
    url: '/connections/:connectionId/jwks.json',
    schema: {
      operationId: 'getKeySet',
      tags: ['connections'],
      summary: 'Get the public keys of a connection',
      description: `For the provider, which verifies our requests with them. Public; cached for ${MAX_AGE_S} s.`,
      security: [],
      params: connectionParams,
      response: responses({ 200: ['All that are published.', keySet] }, [400, 404, 500]),
    },
    handler: async ({ params }, reply) => {
      const keys = await connections.get(params.connectionId)?.publicKeys?.();
      if (keys) return sendAnswer(reply, jsonAnswer(200, keys, CACHED));
      const detail = 'There are no public keys at this address.';
      throw new ApiError({ code: 'route_not_found', detail });
    },
  });
}

const CACHED = { 'cache-control': `public, max-age=${MAX_AGE_S}` };
