/** Refunds: read, listed, cancelled while nothing is sent, and repaired. */
import { HoldfastError } from '../client/errors.js';
import type { RefundAnswer } from '../client/refunds.js';
import type { RefundId } from '../domain/ids.js';
import { present } from '../domain/present.js';
import type { Refund, RefundRepairCommand } from '../domain/refund.js';
import { StoreUnavailable } from '../store/errors.js';
import { jsonAnswer, sendAnswer } from './answers.js';
import type { Api, Context } from './api.js';
import { EVERY_ROUTE, responses } from './documented.js';
import { answerCommand, type Done } from './idempotency.js';
import { optionalKeyHeader, paymentParams } from './parameters.js';
import { unsure } from './payment-answers.js';
import { refundLocation, refundOpeningRoute } from './refund-opening.js';
import {
  acceptedRefund,
  paymentRefunds,
  refund,
  refundPage,
  refundParams,
  refundsQuery,
  repairRefund,
} from './refund-schemas.js';
import { giveReason } from './schemas.js';

/** So many are told with a payment; more are found by the list. */
const WITH_PAYMENT = 100;

export function refundRoutes(app: Api, context: Context): void {
  refundOpeningRoute(app, context);
  readingRoutes(app, context);
  commandRoutes(app, context);
}

function readingRoutes(app: Api, context: Context): void {
  const { store } = context;
  app.route({
    method: 'GET',
    url: '/payments/:paymentId/refunds',
    config: { scope: 'payments:read' },
    schema: {
      operationId: 'listPaymentRefunds',
      tags: ['refunds'],
      summary: 'List the refunds of a payment',
      params: paymentParams,
      response: responses({ 200: ['Newest first, with what is left.', paymentRefunds] }, [
        ...EVERY_ROUTE,
        404,
        503,
      ]),
    },
    handler: async ({ params: { paymentId } }, reply) => {
      const refundable = await store.refunds.refundable(paymentId);
      if (!refundable) throw notFound(`there is no payment ${paymentId}`);
      const page = await store.refunds.list({ paymentId, limit: WITH_PAYMENT });
      return sendAnswer(reply, jsonAnswer(200, { ...page, refundable }));
    },
  });
  app.route({
    method: 'GET',
    url: '/refunds',
    config: { scope: 'payments:read' },
    schema: {
      operationId: 'listRefunds',
      tags: ['refunds'],
      summary: 'List refunds',
      description: 'Newest request first. `nextCursor` is absent on the last page.',
      querystring: refundsQuery,
      response: responses({ 200: ['A page.', refundPage] }, [...EVERY_ROUTE, 503]),
    },
    handler: async ({ query }, reply) => {
      const { needsAttention, cursor, ...filter } = query;
      const page = await store.refunds.list({
        ...present(filter),
        ...(needsAttention !== undefined && { needsAttention: needsAttention === 'true' }),
        ...(cursor !== undefined && { after: cursor }),
      });
      return sendAnswer(reply, jsonAnswer(200, page));
    },
  });
  app.route({
    method: 'GET',
    url: '/refunds/:refundId',
    config: { scope: 'payments:read' },
    schema: {
      operationId: 'getRefund',
      tags: ['refunds'],
      summary: 'Get a refund',
      params: refundParams,
      response: responses({ 200: ['The refund.', refund] }, [...EVERY_ROUTE, 404, 503]),
    },
    handler: async ({ params }, reply) =>
      sendAnswer(reply, jsonAnswer(200, await findRefund(context, params.refundId))),
  });
}

function commandRoutes(app: Api, context: Context): void {
  app.route({
    method: 'POST',
    url: '/refunds/:refundId/cancel',
    config: { scope: 'payments:write' },
    schema: {
      operationId: 'cancelRefund',
      tags: ['refunds'],
      summary: 'Cancel a refund of which nothing has been sent',
      description: 'One that waits for the provider to be able to do it, as a rule.',
      params: refundParams,
      headers: optionalKeyHeader,
      body: giveReason,
      response: responses(ANSWERS, PROBLEMS),
    },
    handler: (request, reply) => {
      const { refundId } = request.params;
      return answerCommand(context, { request, reply }, async (options) => {
        await refuseUnknown(context, refundId);
        const given = { ...options, ...request.body };
        return commanded(context, await context.client.refunds.cancel(refundId, given));
      });
    },
  });
  app.route({
    method: 'POST',
    url: '/refunds/:refundId/repairs',
    config: { scope: 'operations' },
    schema: {
      operationId: 'repairRefund',
      tags: ['refunds'],
      summary: 'Repair a refund',
      description: 'What a person does when its course has gone wrong; kept with who and why.',
      params: refundParams,
      headers: optionalKeyHeader,
      body: repairRefund,
      response: responses(ANSWERS, PROBLEMS),
    },
    handler: (request, reply) => {
      const { refundId } = request.params;
      return answerCommand(context, { request, reply }, async (options) => {
        await refuseUnknown(context, refundId);
        const command = present(request.body) as RefundRepairCommand;
        const answer = await context.client.refunds.repair(refundId, { ...options, ...command });
        return commanded(context, answer);
      });
    },
  });
}

const ANSWERS = {
  200: ['The refund as it stands, with what is not known yet.', refund],
  202: ['No answer in time; ask again, or repeat with the same key.', acceptedRefund],
} as const;
const PROBLEMS = [...EVERY_ROUTE, 404, 409, 413, 415, 422, 503] as const;

/** A workflow that is started for one that never was would only say so after a while. */
async function refuseUnknown(context: Context, refundId: RefundId): Promise<void> {
  await findRefund(context, refundId);
}

async function commanded({ client }: Context, answer: RefundAnswer): Promise<Done> {
  if (answer.kind === 'answered') {
    return { answer: jsonAnswer(200, answer.refund), isFinal: true };
  }
  const { refundId } = answer;
  const location = refundLocation(refundId);
  if ((await client.refunds.hint(refundId)) !== 'delivered') throw unsure(location);
  return { answer: jsonAnswer(202, { refundId }, location), isFinal: false };
}

/** Not found only if both say so: right after a 201 the store may be away. */
async function findRefund({ store, client }: Context, refundId: RefundId): Promise<Refund> {
  const stored = await store.refunds.get(refundId).catch((error: unknown) => {
    if (error instanceof StoreUnavailable) return error;
    throw error;
  });
  if (stored && !(stored instanceof StoreUnavailable)) return stored;
  const running = await client.refunds.get(refundId);
  if (running) return running;
  if (stored) throw stored;
  throw notFound(`there is no refund ${refundId}`);
}

function notFound(message: string): HoldfastError {
  return new HoldfastError({ code: 'not_found', message });
}
