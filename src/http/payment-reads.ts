/** GET of payments: from the store, and from the workflow where the store cannot tell. */
import type { HoldfastClient } from '../client/client.js';
import { HoldfastError } from '../client/errors.js';
import type { PaymentId } from '../domain/ids.js';
import type { Payment } from '../domain/payment.js';
import { StoreUnavailable } from '../store/errors.js';
import { jsonAnswer, sendAnswer } from './answers.js';
import type { Api, Context } from './api.js';
import { EVERY_ROUTE, responses } from './documented.js';
import { present } from '../domain/present.js';
import { paymentParams, paymentsQuery } from './parameters.js';
import { payment, paymentPage } from './schemas.js';

export function readingRoutes(app: Api, context: Context): void {
  app.route({
    method: 'GET',
    url: '/payments/:paymentId',
    config: { scope: 'payments:read' },
    schema: {
      operationId: 'getPayment',
      tags: ['payments'],
      summary: 'Get a payment',
      params: paymentParams,
      response: responses({ 200: ['The payment.', payment] }, [...EVERY_ROUTE, 404, 503]),
    },
    handler: async ({ params }, reply) =>
      sendAnswer(reply, jsonAnswer(200, await findPayment(context, params.paymentId))),
  });
  app.route({
    method: 'GET',
    url: '/payments',
    config: { scope: 'payments:read' },
    schema: {
      operationId: 'listPayments',
      tags: ['payments'],
      summary: 'List payments',
      description: 'Newest request first. `nextCursor` is absent on the last page.',
      querystring: paymentsQuery,
      response: responses({ 200: ['A page.', paymentPage] }, [...EVERY_ROUTE, 503]),
    },
    handler: async ({ query }, reply) => {
      const { needsAttention, cursor, ...filter } = query;
      const page = await context.store.listPayments({
        ...present(filter),
        ...(needsAttention !== undefined && { needsAttention: needsAttention === 'true' }),
        ...(cursor !== undefined && { after: cursor }),
      });
      return sendAnswer(reply, jsonAnswer(200, page));
    },
  });
}

/** Not found only if both say so: right after a 201 the store may not have it yet. */
export async function findPayment(
  { store, client }: Pick<Context, 'store'> & { client: Pick<HoldfastClient, 'get'> },
  paymentId: PaymentId,
): Promise<Payment> {
  const stored = await store.getPayment(paymentId).catch((error: unknown) => {
    if (error instanceof StoreUnavailable) return error;
    throw error;
  });
  if (stored && !(stored instanceof StoreUnavailable)) return stored;
  const running = await client.get(paymentId);
  if (running) return running;
  if (stored) throw stored;
  throw new HoldfastError({ code: 'not_found', message: `there is no payment ${paymentId}` });
}
