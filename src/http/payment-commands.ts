/** Capture, void and cancel. They go on while the store is down. */
import type { z } from 'zod';
import type { Answer, CommandOptions } from '../client/client.js';
import { HoldfastError } from '../client/errors.js';
import type { PaymentId } from '../domain/ids.js';
import type { Payment, RepairCommand } from '../domain/payment.js';
import type { PaymentStatus } from '../domain/reducer.js';
import type { Api, Context } from './api.js';
import { EVERY_ROUTE, responses } from './documented.js';
import { answerCommand, type Done } from './idempotency.js';
import { commanded, unanswered } from './payment-answers.js';
import { optionalKeyHeader, paymentParams } from './parameters.js';
import { present } from '../domain/present.js';
import * as schemas from './schemas.js';

interface Command<Body extends z.ZodType> {
  readonly name: 'capture' | 'void' | 'cancel';
  readonly summary: string;
  readonly description: string;
  readonly body: Body;
  /** A payment that is this already is the answer, also when it has ended. */
  readonly aim: PaymentStatus;
  give(context: Context, from: Given<z.infer<Body>>): Promise<Answer>;
}

interface Given<Body> {
  readonly paymentId: PaymentId;
  readonly body: Body;
  readonly options: CommandOptions;
}

const CAPTURE: Command<typeof schemas.capturePayment> = {
  name: 'capture',
  summary: 'Capture a payment',
  description: 'Takes what is authorized, or a part of it where the connection can.',
  body: schemas.capturePayment,
  aim: 'captured',
  give: ({ client }, { paymentId, body, options }) =>
    client.capture(paymentId, { ...options, ...(body?.amount && { amount: body.amount }) }),
};

const VOID: Command<typeof schemas.giveReason> = {
  name: 'void',
  summary: 'Void a payment',
  description: 'Releases what is authorized.',
  body: schemas.giveReason,
  aim: 'voided',
  give: ({ client }, { paymentId, body, options }) =>
    client.void(paymentId, { ...options, reason: body.reason }),
};

const CANCEL: Command<typeof schemas.giveReason> = {
  name: 'cancel',
  summary: 'Cancel a payment',
  description: 'Ends a payment that has not been paid. Paid meanwhile, it is voided if possible.',
  body: schemas.giveReason,
  aim: 'canceled',
  give: ({ client }, { paymentId, body, options }) =>
    client.cancel(paymentId, { ...options, reason: body.reason }),
};

export function commandRoutes(app: Api, context: Context): void {
  commandRoute(app, context, CAPTURE);
  commandRoute(app, context, VOID);
  commandRoute(app, context, CANCEL);
  repairRoute(app, context);
}

/** It takes up an ended payment again too: what ended wrongly is what needs it most. */
function repairRoute(app: Api, context: Context): void {
  app.route({
    method: 'POST',
    url: '/payments/:paymentId/repairs',
    config: { scope: 'operations' },
    schema: {
      operationId: 'repairPayment',
      tags: ['payments'],
      summary: 'Repair a payment',
      description: 'What a person does when its course has gone wrong; kept with who and why.',
      params: paymentParams,
      headers: optionalKeyHeader,
      body: schemas.repairPayment,
      response: responses(COMMAND_ANSWERS, COMMAND_PROBLEMS),
    },
    handler: (request, reply) => {
      const { paymentId } = request.params;
      return answerCommand(context, { request, reply }, async (options) => {
        const command = present(request.body) as RepairCommand;
        const answer = await context.client.repair(paymentId, { ...options, ...command });
        return answer.kind === 'answered'
          ? commanded(answer.payment)
          : unanswered(context, paymentId);
      });
    },
  });
}

const COMMAND_ANSWERS = {
  200: ['The payment as it stands, with what is not known yet.', schemas.payment],
  202: ['No answer in time; ask again, or repeat with the same key.', schemas.accepted],
} as const;
const COMMAND_PROBLEMS = [...EVERY_ROUTE, 404, 409, 413, 415, 422, 503] as const;

function commandRoute<Body extends z.ZodType>(
  app: Api,
  context: Context,
  command: Command<Body>,
): void {
  const { name, summary, description, body } = command;
  app.route({
    method: 'POST',
    url: `/payments/:paymentId/${name}`,
    config: { scope: 'payments:write' },
    schema: {
      operationId: `${name}Payment`,
      tags: ['payments'],
      summary,
      description,
      params: paymentParams,
      headers: optionalKeyHeader,
      body,
      response: responses(COMMAND_ANSWERS, COMMAND_PROBLEMS),
    },
    handler: (request, reply) => {
      const { paymentId } = request.params;
      const work = (options: CommandOptions): Promise<Done> =>
        perform(context, command, {
          paymentId,
          body: request.body as z.infer<Body>,
          options,
        });
      return answerCommand(context, { request, reply }, work);
    },
  });
}

async function perform<Body extends z.ZodType>(
  context: Context,
  command: Command<Body>,
  given: Given<z.infer<Body>>,
): Promise<Done> {
  const { paymentId } = given;
  const give = async (whenEnded: 'resume' | 'refuse'): Promise<Done> => {
    const answer = await command.give(context, {
      ...given,
      options: { ...given.options, whenEnded },
    });
    return answer.kind === 'answered' ? commanded(answer.payment) : unanswered(context, paymentId);
  };
  try {
    return await give('refuse');
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'not_found') throw error;
    const ended = await endedPayment(context, paymentId);
    if (ended.status === command.aim) return commanded(ended);
    if (isStillToDecide(ended)) return give('resume');
    throw new HoldfastError({
      code: 'conflict',
      message: `the payment has ended: ${ended.status}`,
    });
  }
}

/** No workflow of this id is running: it has ended, or there never was one. */
async function endedPayment({ store }: Context, paymentId: PaymentId): Promise<Payment> {
  const known = await store.getPayment(paymentId);
  if (known) return known;
  throw new HoldfastError({ code: 'not_found', message: `there is no payment ${paymentId}` });
}

/** News that came after its end may have left it with something to be done. */
function isStillToDecide({ status }: Payment): boolean {
  return ['requires_action', 'processing', 'authorized'].includes(status);
}
