import { z } from 'zod';

/** Where Payconiq's two environments live. @see payconiq.txt L887-889, L644-650 */
const ENVIRONMENTS = {
  ext: {
    apiBaseUrl: 'https://api.ext.payconiq.com',
    jwksUrl: 'https://ext.payconiq.com/certificates',
  },
  prod: { apiBaseUrl: 'https://api.payconiq.com', jwksUrl: 'https://payconiq.com/certificates' },
} as const;

const providerId = z.string().min(1).max(64);

/**
 * Settings of one Payconiq profile. Requests are signed where `signing` is given, else they carry
 * the API key; at least one of the two is needed.
 */
export const payconiqSettings = z
  .strictObject({
    environment: z.enum(['ext', 'prod']).default('ext'),
    /** Overrides the environment's address, e.g. for a sandbox. */
    apiBaseUrl: z.url().optional(),
    /** Overrides the address of Payconiq's public keys. */
    jwksUrl: z.url().optional(),
    profileId: providerId,
    /** Needed to sign. */
    merchantId: providerId.optional(),
    apiKey: z.string().min(1).optional(),
    signing: z
      .strictObject({ kid: z.string().min(1), privateKeyPem: z.string().min(1) })
      .optional(),
    /** As configured in the profile: decides how long a QR code lives (2 or 20 minutes). */
    product: z.enum(['instore', 'online']).default('instore'),
    /** Whether Payconiq has enabled void for the profile; payments then wait for our acknowledge. */
    voidSupport: z.boolean().default(false),
    acknowledgeWindowHours: z.number().int().min(1).max(168).default(168),
    /** The production guide prints `/v3/payments/payments/{paymentId}/acknowledge`, by mistake. */
    acknowledgePath: z
      .string()
      .regex(/^\/.*\{paymentId\}/, 'must begin with / and contain {paymentId}')
      .default('/v3/payments/{paymentId}/acknowledge'),
  })
  .superRefine((settings, context) => {
    if (!settings.apiKey && !settings.signing) {
      context.addIssue({
        code: 'custom',
        path: ['apiKey'],
        message: 'apiKey or signing is needed',
      });
    }
    if (settings.signing && !settings.merchantId) {
      context.addIssue({
        code: 'custom',
        path: ['merchantId'],
        message: 'is needed to sign requests (claim iss)',
      });
    }
  })
  .transform((settings) => ({
    ...ENVIRONMENTS[settings.environment],
    ...withoutUndefined(settings),
  }));

export type PayconiqSettings = z.infer<typeof payconiqSettings>;

function withoutUndefined<T extends object>(
  value: T,
): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
