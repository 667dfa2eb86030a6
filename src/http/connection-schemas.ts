/** Shapes of connections, and of what is asked of their providers. */
import { z } from 'zod';
import { OPERATION_NAMES } from '../domain/ids.js';
import { components, money } from './schemas.js';

export const connectionList = z
  .strictObject({
    connections: z.array(
      z.strictObject({
        connectionId: z.string(),
        provider: z.string(),
        operations: z.partialRecord(
          z.enum(OPERATION_NAMES),
          z.enum(['repeat', 'fetch', 'wait', 'reissue']),
        ),
        canSearch: z.boolean(),
        takesNotifications: z.boolean(),
      }),
    ),
  })
  .register(components, {
    id: 'Connections',
    description: 'Each operation with the way in which a lost answer to it is settled.',
  });

export const connectionUrls = z
  .strictObject({
    notificationUrl: z.string().optional().register(components, {
      description: 'For what begins at the provider without us.',
    }),
    loyaltyUrl: z.string().optional().register(components, {
      description: 'For registrations at the loyalty scheme, where one is configured.',
    }),
  })
  .register(components, { id: 'ConnectionUrls', description: 'To be entered at the provider.' });

export const providerPaymentPage = z
  .strictObject({
    payments: z.array(
      z.strictObject({
        providerReference: z.string(),
        providerStatus: z.string(),
        reference: z.string().optional(),
        description: z.string().optional(),
        amount: money,
        total: money,
        createdAt: z.string(),
        endToEndId: z.string().optional(),
      }),
    ),
    page: z.number().int(),
    pageSize: z.number().int(),
    totalPayments: z.number().int(),
    totalPages: z.number().int(),
  })
  .register(components, { id: 'ProviderPayments', description: "In the provider's own words." });

export const sweepResult = z
  .strictObject({
    from: z.string(),
    to: z.string(),
    found: z.number().int(),
    news: z.number().int(),
  })
  .register(components, {
    id: 'Sweep',
    description: 'Payments begun in this time, and how many of them told something new.',
  });

export const keySet = z
  .strictObject({
    keys: z.array(
      z.strictObject({
        kty: z.literal('EC'),
        crv: z.literal('P-256'),
        x: z.string(),
        y: z.string(),
        kid: z.string(),
        use: z.literal('sig'),
        alg: z.literal('ES256'),
        x5c: z.array(z.string()).optional().register(components, {
          description: 'Certificates in base64 DER, that of the key first.',
        }),
      }),
    ),
  })
  .register(components, { id: 'KeySet', description: 'A JSON Web Key Set (RFC 7517).' });
