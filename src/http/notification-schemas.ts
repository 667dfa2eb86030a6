/** Shapes of what providers told us. */
import { z } from 'zod';
import { FACT_KINDS } from '../domain/facts.js';
import { components, money, paymentProblem } from './schemas.js';

const fact = z
  .strictObject({
    id: z.string(),
    kind: z.enum(FACT_KINDS),
    object: z.string(),
    part: z.string().optional(),
    amount: money.optional(),
    tip: money.optional(),
    problem: paymentProblem.optional(),
    occurredAt: z.string(),
    source: z.string(),
  })
  .register(components, { id: 'Fact', description: 'Something that happened to a payment.' });

const subject = z
  .strictObject({
    reference: z.string().optional(),
    description: z.string().optional(),
    amount: money,
    createdAt: z.string(),
  })
  .register(components, {
    id: 'Subject',
    description: 'What the provider says of its object, by which its payment is found.',
  });

export const notificationState = z.enum(['undelivered', 'delivered', 'unmatched']);

const notificationFields = {
  id: z.string(),
  connectionId: z.string(),
  eventId: z.string(),
  paymentId: z.string().optional(),
  providerReference: z.string().optional(),
  verdict: z.enum(['facts', 'hint']),
  facts: z.array(fact),
  subject: subject.optional(),
  headers: z.record(z.string(), z.string()),
  receivedAt: z.string(),
  state: notificationState,
  deliveries: z.number().int(),
  attempts: z.number().int(),
  lastReason: z.string().optional(),
};

export const notification = z
  .strictObject({
    ...notificationFields,
    body: z.string().register(components, { description: 'As received, in base64.' }),
  })
  .register(components, { id: 'Notification' });

export const notificationPage = z
  .strictObject({
    notifications: z.array(z.strictObject(notificationFields)),
    nextCursor: z.string().optional(),
  })
  .register(components, { id: 'NotificationPage' });

export const refusalList = z
  .strictObject({
    refusals: z.array(
      z.strictObject({
        day: z.string(),
        connectionId: z.string(),
        reason: z.string(),
        count: z.number().int(),
      }),
    ),
  })
  .register(components, { id: 'Refusals', description: 'What the door refused, per day (UTC).' });
