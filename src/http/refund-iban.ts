/** The payer's account number, for a transfer of the caller's own: asked for, told, forgotten. */
import { HoldfastError } from '../client/errors.js';
import type { Payment } from '../domain/payment.js';
import type { Connections } from '../providers/connections.js';
import type { RefundIban } from '../providers/provider.js';
import { jsonAnswer, sendAnswer } from './answers.js';
import type { Api, Context } from './api.js';
import { EVERY_ROUTE, responses } from './documented.js';
import { paymentParams } from './parameters.js';
import { findPayment } from './payment-reads.js';
import { ApiError } from './problems.js';
import { refundIban } from './schemas.js';

export function refundIbanRoutes(app: Api, context: Context): void {
  app.route({
    method: 'GET',
    url: '/payments/:paymentId/refund-iban',
    config: { scope: 'personal_data' },
    schema: {
      operationId: 'getRefundIban',
      tags: ['payments'],
      summary: "Get the payer's account number for a refund by bank transfer",
      description:
        'Asks the provider; nothing is stored or logged. Moves no money. 409 `not_available_yet` ' +
        'where the provider may have it later, 409 `not_allowed` where it never will.',
      params: paymentParams,
      response: responses({ 200: ['The account.', refundIban] }, [
        ...EVERY_ROUTE,
        404,
        409,
        422,
        502,
        503,
      ]),
    },
    handler: async ({ params }, reply) => {
      const payment = await findPayment(context, params.paymentId);
      const iban = ibanIn(await ask(context.connections, payment));
      const answer = jsonAnswer(200, { iban }, { 'cache-control': 'no-store' });
      return sendAnswer(reply, answer);
    },
  });
}

function ask(
  connections: Connections,
  { connectionId, paymentId, providerReference }: Payment,
): Promise<RefundIban> {
  const payments = connections.get(connectionId)?.payments;
  if (!payments?.refundIban) {
    const message = `connection ${connectionId} does not tell payers' account numbers`;
    throw new HoldfastError({ code: 'unsupported', message });
  }
  if (providerReference === undefined) {
    const message = `nobody has begun to pay ${paymentId}`;
    throw new HoldfastError({ code: 'conflict', message });
  }
  return payments.refundIban(providerReference);
}

function ibanIn(answer: RefundIban): string {
  if (answer.kind === 'found') return answer.iban;
  const { code, message, providerCode } = answer.problem;
  const { retryAfterMs } = answer.kind === 'unclear' ? answer : {};
  throw new ApiError({
    code,
    detail: message,
    ...(providerCode !== undefined && { extensions: { providerCode } }),
    ...(retryAfterMs !== undefined && {
      headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) },
    }),
  });
}
