/** Whether the process is up, and whether it can serve. For load balancers: no key, nothing told. */
import { z } from 'zod';
import { jsonAnswer, sendAnswer } from './answers.js';
import type { Api, Context } from './api.js';
import { responses } from './documented.js';
import { ApiError } from './problems.js';

/** Long enough for what is well; a load balancer asks again soon. */
const READY_WITHIN_MS = 2_000;
/** Of no payment: that Temporal says so proves that it answers. */
const PROBE_ID = 'holdfast-readiness';

const health = z.strictObject({ status: z.literal('up'), version: z.string() });
const readiness = z.strictObject({ store: z.literal('up'), temporal: z.literal('up') });

export function systemRoutes(app: Api, context: Context): void {
  app.route({
    method: 'GET',
    url: '/health',
    schema: {
      operationId: 'getHealth',
      tags: ['system'],
      summary: 'Whether the process is up',
      security: [],
      response: responses({ 200: ['It is.', health] }, []),
    },
    handler: (_request, reply) =>
      sendAnswer(reply, jsonAnswer(200, { status: 'up', version: context.version })),
  });
  app.route({
    method: 'GET',
    url: '/ready',
    schema: {
      operationId: 'getReadiness',
      tags: ['system'],
      summary: 'Whether database and Temporal answer',
      security: [],
      response: responses({ 200: ['Both do.', readiness] }, [503]),
    },
    handler: async (_request, reply) => {
      const [store, temporal] = await Promise.all([
        isUp(() => context.store.ping()),
        isUp(() => context.client.get(PROBE_ID)),
      ]);
      const checks = { store: upOrDown(store), temporal: upOrDown(temporal) };
      if (store && temporal) return sendAnswer(reply, jsonAnswer(200, checks));
      throw new ApiError({
        code: store ? 'orchestrator_unavailable' : 'store_unavailable',
        detail: 'Not everything that is needed answers.',
        extensions: { checks },
      });
    },
  });
}

function upOrDown(isAnswering: boolean): 'up' | 'down' {
  return isAnswering ? 'up' : 'down';
}

async function isUp(ask: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, READY_WITHIN_MS, false);
  });
  const answered = ask().then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([answered, late]);
  } finally {
    clearTimeout(timer);
  }
}
