/** Path, query and header parameters of the API. */
import { z } from 'zod';
import { notificationState } from './notification-schemas.js';
import { components, paymentId, status, text, time } from './schemas.js';

export const paymentParams = z.object({ paymentId });
export const connectionParams = z.object({ connectionId: text(64) });
export const notificationParams = z.object({ notificationId: text(32) });

const keyRule = 'must have 1 to 255 visible ASCII characters';
const idempotencyKey = z.string().regex(/^[\x21-\x7e]{1,255}$/, keyRule);

export const keyHeader = z
  .looseObject({ 'idempotency-key': idempotencyKey })
  .register(components, { description: 'A repeat with the same key has no second effect.' });
export const optionalKeyHeader = z.looseObject({ 'idempotency-key': idempotencyKey.optional() });

export const limit = integer({ min: 1, max: 100 }).default(50);
export const cursor = z.string().min(1, 'is empty').optional();

export const paymentsQuery = z.strictObject({
  connectionId: z.string().optional(),
  merchantReference: z.string().optional(),
  status: status.optional(),
  from: time.optional().register(components, { description: 'Asked for at or after.' }),
  to: time.optional().register(components, { description: 'Asked for before.' }),
  needsAttention: z.enum(['true', 'false']).optional(),
  limit,
  cursor,
});

export const providerPaymentsQuery = z.strictObject({
  reference: z.string().optional(),
  status: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .register(components, { description: "In the provider's own words; may be repeated." }),
  from: time
    .optional()
    .register(components, { description: 'A day before `to`, unless said otherwise.' }),
  to: time.optional().register(components, { description: 'Now, unless said otherwise.' }),
  page: integer({ min: 0, max: 1_000_000 }).default(0),
  pageSize: integer({ min: 1, max: 100 }).default(50),
});

export const payerQuery = z.strictObject({
  refresh: z.enum(['true', 'false']).optional().register(components, {
    description: 'Ask the provider first: some of what it knows comes with no notification.',
  }),
});

export const notificationsQuery = z.strictObject({
  connectionId: z.string().optional(),
  paymentId: z.string().optional(),
  state: notificationState.optional(),
  limit,
  cursor,
});

/** An integer as a query has it: text. */
function integer({ min, max }: { readonly min: number; readonly max: number }) {
  const rule = `must be an integer from ${min} to ${max}`;
  return z.coerce.number(rule).int(rule).min(min, rule).max(max, rule);
}
