/** POST /v1/payments/{paymentId}/refunds: asks for a refund, once per Idempotency-Key. */
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { HoldfastError } from '../client/errors.js';
import { refuseOtherRefund } from '../client/refunds.js';
import { present } from '../domain/present.js';
import type { Refund, RefundRequest } from '../domain/refund.js';
import { checkRefundRequest } from '../domain/request-rules.js';
import { jsonAnswer } from './answers.js';
import type { Api, Context } from './api.js';
import { EVERY_ROUTE, responses } from './documented.js';
import { answerOnce, keyDigest, type Done } from './idempotency.js';
import { keyHeader, paymentParams } from './parameters.js';
import { unsure } from './payment-answers.js';
import { findPayment } from './payment-reads.js';
import { refusedFields } from './problems.js';
import { acceptedRefund, askRefund, refund } from './refund-schemas.js';
import { withValues } from './validation.js';

const ID_DIGEST_LENGTH = 32;

export function refundOpeningRoute(app: Api, context: Context): void {
  app.route({
    method: 'POST',
    url: '/payments/:paymentId/refunds',
    config: { scope: 'payments:write' },
    schema: {
      operationId: 'refundPayment',
      tags: ['refunds'],
      summary: 'Refund a payment',
      description:
        'Sets the amount aside, then asks the provider; of many at once no more pass than there is ' +
        'money for. 409 `amount_unavailable` where less is left. A repeat with the same ' +
        'Idempotency-Key is the same refund.',
      params: paymentParams,
      headers: keyHeader,
      body: askRefund,
      response: responses(
        {
          201: ['The refund, as far as it is known.', refund],
          202: ['Begun; there is no answer yet.', acceptedRefund],
        },
        [...EVERY_ROUTE, 404, 409, 413, 415, 422, 503],
      ),
    },
    handler: (request, reply) => {
      const key = request.headers['idempotency-key'];
      const { paymentId } = request.params;
      const asked = requestOf(request.body, { request, key, paymentId, now: context.now });
      const violations = checkRefundRequest(asked);
      if (violations.length > 0) throw refusedFields(withValues(violations, asked));
      const { store, timing } = context;
      return answerOnce({ request, reply }, { store, timing, key, keeping: 'required' }, () =>
        open(context, asked),
      );
    },
  });
}

function requestOf(
  body: z.infer<typeof askRefund>,
  from: {
    readonly request: FastifyRequest;
    readonly key: string;
    readonly paymentId: string;
    readonly now: () => number;
  },
): RefundRequest {
  const { clientId } = from.request;
  const { refundId, ...rest } = body ?? {};
  return {
    refundId: refundId ?? `ref_${keyDigest({ clientId, key: from.key }, ID_DIGEST_LENGTH)}`,
    paymentId: from.paymentId,
    ...present(rest),
    requestedAt: new Date(from.now()).toISOString(),
  };
}

async function open(context: Context, asked: RefundRequest): Promise<Done> {
  const known = await context.store.refunds.get(asked.refundId);
  if (known) {
    refuseOtherRefund(asked, known);
    if (known.ended) return opened(known);
  } else {
    await refuseWrong(context, asked);
  }
  const answer = await context.client.refunds.create(asked);
  return answer.kind === 'answered' ? opened(answer.refund) : begun(context, asked.refundId);
}

/** What its payment and connection say, before anything starts. */
async function refuseWrong(context: Context, asked: RefundRequest): Promise<void> {
  const { connectionId } = await findPayment(context, asked.paymentId);
  const { refunds } = context.connections.get(connectionId) ?? {};
  if (!refunds) {
    const message = `connection ${connectionId} cannot refund payments`;
    throw new HoldfastError({ code: 'unsupported', message });
  }
  const violations = refunds.check(asked);
  if (violations.length > 0) throw refusedFields(withValues(violations, asked));
}

/** @throws HoldfastError where nothing was set aside */
function opened(found: Refund): Done {
  const { problem, status, refundId } = found;
  if (status === 'rejected' && problem) throw new HoldfastError(problem);
  return { answer: jsonAnswer(201, found, refundLocation(refundId)), isFinal: true };
}

/** Without an answer in time: begun, if Temporal says so; else a repeat makes sure. */
async function begun({ client }: Context, refundId: string): Promise<Done> {
  const location = refundLocation(refundId);
  if ((await client.refunds.hint(refundId)) === 'delivered') {
    return { answer: jsonAnswer(202, { refundId }, location), isFinal: true };
  }
  throw unsure(location);
}

export function refundLocation(refundId: string): { readonly location: string } {
  return { location: `/v1/refunds/${refundId}` };
}
