/** Shapes of loyalty registrations. */
import { z } from 'zod';
import { components, money, text } from './schemas.js';
import { cursor, limit } from './parameters.js';

const state = z.enum(['open', 'done']);

export const loyaltyParams = z.object({ registrationId: text(32) });

export const loyaltyQuery = z.strictObject({
  connectionId: z.string().optional(),
  state: state.optional(),
  limit,
  cursor,
});

const points = z.int('must be an integer').optional();

const result = z.strictObject({
  balance: points.register(components, { description: "Of the member's account." }),
  earned: points.register(components, { description: 'By this payment.' }),
  message: text(256).optional().register(components, {
    description: "To the member; the connection's own message unless said otherwise.",
  }),
});

export const loyaltyResult = result.nullish().register(components, {
  id: 'LoyaltyResult',
  description: 'What the scheme made of the payment.',
  examples: [{ balance: 140, earned: 12, message: 'Twelve points for you' }],
});

export const loyaltyRegistration = z
  .strictObject({
    id: z.string(),
    connectionId: z.string(),
    providerReference: z.string().register(components, { description: 'Of the payment.' }),
    paymentId: z.string().optional().register(components, {
      description: 'Where it was known when the registration came.',
    }),
    memberId: z.string().optional().register(components, {
      description: 'The account at the scheme. Absent once the payer was erased.',
    }),
    merchantAccountId: z.string().optional(),
    amount: money,
    state,
    receivedAt: z.string(),
    doneAt: z.string().optional(),
    result: result.optional(),
  })
  .register(components, {
    id: 'LoyaltyRegistration',
    description: 'A payment of a member, as the provider registered it.',
  });

export const loyaltyPage = z
  .strictObject({ registrations: z.array(loyaltyRegistration), nextCursor: z.string().optional() })
  .register(components, { id: 'LoyaltyRegistrations' });
