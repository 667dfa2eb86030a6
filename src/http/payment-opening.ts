/** POST /v1/payments: asks for a payment, once per Idempotency-Key. */
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { refuseOtherRequest } from '../client/client.js';
import type { PaymentRequest } from '../domain/payment.js';
import type { Violation } from '../domain/problem.js';
import { checkRequest } from '../domain/request-rules.js';
import type { Api, Context } from './api.js';
import { EVERY_ROUTE, responses } from './documented.js';
import { answerOnce, keyDigest, type Done } from './idempotency.js';
import { begun, opened } from './payment-answers.js';
import { present } from '../domain/present.js';
import { refusedFields } from './problems.js';
import { keyHeader } from './parameters.js';
import { accepted, openPayment, payment } from './schemas.js';
import { withValues } from './validation.js';

/** Of an id that derives from a key: enough that no two ever meet. */
const ID_DIGEST_LENGTH = 32;

export function openingRoute(app: Api, context: Context): void {
  app.route({
    method: 'POST',
    url: '/payments',
    config: { scope: 'payments:write' },
    schema: {
      operationId: 'openPayment',
      tags: ['payments'],
      summary: 'Open a payment',
      description:
        'Answers as soon as the provider has, whatever it said: a payment that the provider ' +
        'refused exists too, as `rejected`, and its `problem` says why. A repeat with the same ' +
        'Idempotency-Key gets the same bytes.',
      headers: keyHeader,
      body: openPayment,
      response: responses(
        {
          201: ['The payment.', payment],
          202: ['Begun; the provider has not answered yet.', accepted],
        },
        [...EVERY_ROUTE, 409, 413, 415, 422, 503],
      ),
    },
    handler: (request, reply) => {
      const key = request.headers['idempotency-key'];
      const asked = requestOf(request.body, { request, key, now: context.now });
      refuseWrong(context, asked);
      const { store, timing } = context;
      return answerOnce({ request, reply }, { store, timing, key, keeping: 'required' }, () =>
        open(context, asked),
      );
    },
  });
}

function requestOf(
  body: z.infer<typeof openPayment>,
  from: { readonly request: FastifyRequest; readonly key: string; readonly now: () => number },
): PaymentRequest {
  const { clientId } = from.request;
  const { paymentId, description, returnUrl, captureBefore, atDeadline, options } = body;
  return {
    paymentId: paymentId ?? `pay_${keyDigest({ clientId, key: from.key }, ID_DIGEST_LENGTH)}`,
    connectionId: body.connectionId,
    amount: present(body.amount),
    captureMode: body.captureMode ?? 'automatic',
    merchantReference: body.merchantReference,
    ...(description !== undefined && { description }),
    ...(returnUrl !== undefined && { returnUrl }),
    ...(captureBefore !== undefined && { captureBefore }),
    ...(atDeadline !== undefined && { atDeadline }),
    requestedAt: new Date(from.now()).toISOString(),
    ...(options && { options: options }),
  };
}

/** Everything that is wrong with it, before anything starts. */
function refuseWrong({ connections }: Context, asked: PaymentRequest): void {
  const refuse = (violations: readonly Violation[]): void => {
    if (violations.length > 0) throw refusedFields(withValues(violations, asked));
  };
  refuse(checkRequest(asked));
  const { payments } = connections.get(asked.connectionId) ?? {};
  if (!payments) {
    const known = connections.ids().filter((id) => connections.get(id)?.payments);
    const rule = `must be a connection that takes payments: ${known.join(', ') || 'there is none'}`;
    throw refusedFields(withValues([{ field: 'connectionId', rule }], asked));
  }
  refuse(payments.check(asked));
}

/** A payment whose history is gone is in the store alone, and must not begin anew. */
async function open(context: Context, asked: PaymentRequest): Promise<Done> {
  const known = await context.store.getPayment(asked.paymentId);
  if (known?.ended) {
    refuseOtherRequest(asked, known);
    return opened(known);
  }
  const answer = await context.client.open(asked);
  return answer.kind === 'answered' ? opened(answer.payment) : begun(context, asked.paymentId);
}
