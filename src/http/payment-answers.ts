/** What is answered about a payment, and what a missing answer of its workflow means. */
import type { PaymentId } from '../domain/ids.js';
import type { Payment } from '../domain/payment.js';
import { jsonAnswer } from './answers.js';
import type { Context } from './api.js';
import type { Done } from './idempotency.js';
import { ApiError } from './problems.js';

export function opened(payment: Payment): Done {
  return { answer: jsonAnswer(201, payment, locationOf(payment.paymentId)), isFinal: true };
}

export function commanded(payment: Payment): Done {
  return { answer: jsonAnswer(200, payment), isFinal: true };
}

/** An opening without an answer in time: begun, if Temporal says so; else a repeat makes sure. */
export async function begun(context: Context, paymentId: PaymentId): Promise<Done> {
  if (await isRunning(context, paymentId)) {
    const answer = jsonAnswer(202, { paymentId, status: 'created' }, locationOf(paymentId));
    return { answer, isFinal: true };
  }
  const found = await context.client.get(paymentId);
  if (found) return opened(found);
  throw unsure(locationOf(paymentId));
}

/** A command without an answer in time may not have been taken, so a repeat goes on with it. */
export async function unanswered(context: Context, paymentId: PaymentId): Promise<Done> {
  if (!(await isRunning(context, paymentId))) throw unsure(locationOf(paymentId));
  return { answer: jsonAnswer(202, { paymentId }, locationOf(paymentId)), isFinal: false };
}

/** Asked by an empty notice, which needs no worker to arrive and changes nothing. */
async function isRunning({ client }: Context, paymentId: PaymentId): Promise<boolean> {
  return (await client.notify(paymentId, { facts: [] })) === 'delivered';
}

function locationOf(paymentId: PaymentId): { location: string } {
  return { location: `/v1/payments/${paymentId}` };
}

/** Nobody knows whether it was taken. */
export function unsure(location: { readonly location: string }): ApiError {
  return new ApiError({
    code: 'orchestrator_unavailable',
    detail: 'Temporal did not answer. Repeat with the same Idempotency-Key to make sure.',
    headers: location,
  });
}
