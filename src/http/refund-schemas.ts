/** Shapes of refunds. */
import { z } from 'zod';
import {
  REFUND_ATTENTION_REASONS,
  REFUND_STATUSES,
  STATABLE_REFUND_STATUSES,
} from '../domain/refund.js';
import { cursor, limit } from './parameters.js';
import {
  components,
  money,
  operation,
  paymentId,
  paymentProblem,
  positiveMoney,
  text,
} from './schemas.js';

export const refundParams = z.object({ refundId: paymentId });

const status = z.enum(REFUND_STATUSES);

export const refundsQuery = z.strictObject({
  paymentId: z.string().optional(),
  connectionId: z.string().optional(),
  status: status.optional(),
  needsAttention: z.enum(['true', 'false']).optional(),
  limit,
  cursor,
});

export const askRefund = z
  .strictObject({
    refundId: paymentId.optional().register(components, {
      description: 'Yours, if you keep one; else it derives from your key and Idempotency-Key.',
    }),
    amount: positiveMoney
      .optional()
      .register(components, { description: 'All that is left to refund unless said otherwise.' }),
    description: text(512).optional().register(components, { description: 'Shown to the payer.' }),
    paymentReference: text(256).optional().register(components, {
      description: "Of a payment that was paid twice: the provider's id of the object to refund.",
    }),
  })
  .nullish()
  .register(components, {
    id: 'AskRefund',
    examples: [{ amount: { minor: '350', currency: 'EUR' }, description: 'One coffee was cold' }],
  });

const repair = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ask') }),
  z.strictObject({
    kind: z.literal('state'),
    status: z.enum(STATABLE_REFUND_STATUSES),
    providerReference: text(200).optional(),
  }),
  z.strictObject({ kind: z.literal('dismiss') }),
]);

export const repairRefund = z
  .strictObject({ repair, actor: text(200), reason: text(200) })
  .register(components, {
    id: 'RepairRefund',
    description:
      'ask: the provider is asked, and believed. state: how it stands, of which you have ' +
      'evidence. dismiss: it has been looked at.',
    examples: [{ repair: { kind: 'ask' }, actor: 'ann', reason: 'the payer is asking' }],
  });

export const refund = z
  .strictObject({
    refundId: z.string(),
    paymentId: z.string(),
    connectionId: z.string().optional(),
    amount: money.optional(),
    paymentReference: z.string().optional().register(components, {
      description: "The provider's id of what is refunded.",
    }),
    description: z.string().optional(),
    status: status.register(components, {
      description:
        'reserved: set aside, not taken by the provider (yet). unknown: it may have been sent. ' +
        'pending: taken, no money has moved. processing: the payer has it, it is not collected ' +
        'from you yet. reversed: it was done, and came back.',
    }),
    providerReference: z
      .string()
      .optional()
      .register(components, { description: "The provider's id of the refund." }),
    problem: paymentProblem.optional(),
    attention: z
      .strictObject({ reason: z.enum(REFUND_ATTENTION_REASONS), since: z.string() })
      .optional(),
    unknownSince: z.string().optional(),
    operation: operation.extend({ operation: z.literal('refund') }).optional(),
    repairs: z
      .array(z.strictObject({ repair, actor: z.string(), reason: z.string(), at: z.string() }))
      .optional(),
    ended: z.boolean(),
    requestedAt: z.string(),
  })
  .register(components, { id: 'Refund' });

export const acceptedRefund = z
  .strictObject({ refundId: z.string() })
  .register(components, { id: 'AcceptedRefund' });

export const refundPage = z
  .strictObject({ refunds: z.array(refund), nextCursor: z.string().optional() })
  .register(components, { id: 'Refunds' });

export const paymentRefunds = z
  .strictObject({
    refunds: z.array(refund),
    refundable: money.clone().register(components, {
      description:
        'What is left: captured, less what went back, less what is set aside to go back.',
    }),
    nextCursor: z.string().optional(),
  })
  .register(components, { id: 'PaymentRefunds' });
