/** What is known of those who pay, and forgetting it. No answer and no log line but these tells. */
import { HoldfastError } from '../client/errors.js';
import type { PaymentId } from '../domain/ids.js';
import type { PayerData } from '../domain/payer.js';
import { jsonAnswer, sendAnswer } from './answers.js';
import type { Api, Context } from './api.js';
import { EVERY_ROUTE, responses } from './documented.js';
import { payerQuery, paymentParams } from './parameters.js';
import { findPayment } from './payment-reads.js';
import { payer } from './schemas.js';

const GUARDED = { config: { scope: 'personal_data' }, url: '/payments/:paymentId/payer' } as const;

export function payerRoutes(app: Api, context: Context): void {
  app.route({
    ...GUARDED,
    method: 'GET',
    schema: {
      operationId: 'getPayer',
      tags: ['payers'],
      summary: 'Get what is known of the payer',
      description:
        'As told by the provider so far. Not found where nothing was, and after it was erased.',
      params: paymentParams,
      querystring: payerQuery,
      response: responses({ 200: ['What is known.', payer] }, [...EVERY_ROUTE, 404, 503]),
    },
    handler: async ({ params, query, clientId, log }, reply) => {
      if (query.refresh === 'true') await askProvider(context, params.paymentId);
      const known = await context.store.payers.read(params.paymentId);
      if (!known) throw nothingKnown(params.paymentId);
      log.info({ paymentId: params.paymentId, client: clientId }, 'payer read');
      return sendAnswer(reply, jsonAnswer(200, known satisfies PayerData));
    },
  });
  app.route({
    ...GUARDED,
    method: 'DELETE',
    schema: {
      operationId: 'erasePayer',
      tags: ['payers'],
      summary: 'Erase the payer',
      description:
        "For good, for all payments of this payer: what is known of them, and their notifications' bodies and headers. What the provider tells of them later is not kept. May be repeated.",
      params: paymentParams,
      response: responses({ 204: ['Nothing of the payer is left.'] }, [...EVERY_ROUTE, 404, 503]),
    },
    handler: async ({ params, clientId, log }, reply) => {
      const { paymentId } = await findPayment(context, params.paymentId);
      await context.store.payers.erase(paymentId);
      log.info({ paymentId, client: clientId }, 'payer erased');
      return reply.code(204).send();
    },
  });
}

/** What the provider says completes what is known; where it says nothing now, that stays. */
async function askProvider({ store, connections }: Context, paymentId: PaymentId): Promise<void> {
  const { request, particulars } = (await store.loadPayment(paymentId)) ?? {};
  const payments = request && connections.get(request.connectionId)?.payments;
  const { providerReference } = particulars ?? {};
  if (!payments || providerReference === undefined) return;
  const reading = await payments.read({ request, providerReference });
  if (reading.kind === 'found' && reading.payer)
    await store.payers.remember(paymentId, reading.payer);
}

function nothingKnown(paymentId: string): HoldfastError {
  const message = `nothing is known of the payer of ${paymentId}`;
  return new HoldfastError({ code: 'not_found', message });
}
