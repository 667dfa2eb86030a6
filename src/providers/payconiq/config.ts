import { z } from 'zod';
import { DEADLINE_POLICIES } from '../../domain/payment.js';
import { signingSettings } from './signing-keys.js';
import { PORTALS } from './formats/qr-links.js';

/** Where Payconiq's two environments live. @see payconiq.txt L887-889, L644-650, L1011, L2680 */
const ENVIRONMENTS = {
  ext: {
    apiBaseUrl: 'https://api.ext.payconiq.com',
    jwksUrl: 'https://ext.payconiq.com/certificates',
    portalUrl: PORTALS.ext,
  },
  prod: {
    apiBaseUrl: 'https://api.payconiq.com',
    jwksUrl: 'https://payconiq.com/certificates',
    portalUrl: PORTALS.prod,
  },
} as const;

const providerId = z.string().min(1).max(64);
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });
const baseUrl = httpUrl
  .refine((url) => !/[?#]/.test(url), 'must have no query and no fragment')
  .transform((url) => url.replace(/\/+$/, ''));

/**
 * Settings of one Payconiq profile. Requests are signed where `signing` is given, else they carry
 * the API key; at least one of the two is needed.
 */
export const payconiqSettings = z
  .strictObject({
    environment: z.enum(['ext', 'prod']).default('ext'),
    /** Overrides the environment's address, e.g. for a sandbox. */
    apiBaseUrl: baseUrl.optional(),
    /** Overrides the address of Payconiq's public keys. */
    jwksUrl: httpUrl.optional(),
    /** Whether the nights and weekends in which EXT is switched off raise no alarm. */
    plannedDowntime: z.boolean().optional(),
    /** Overrides where QR codes are drawn: links for payers and printers, never called by us. */
    portalUrl: baseUrl.optional(),
    profileId: providerId,
    /** Needed to sign. */
    merchantId: providerId.optional(),
    apiKey: z
      .string()
      .regex(/^[\x21-\x7e]+$/, 'must be the key alone: no spaces, no line breaks')
      .optional(),
    signing: signingSettings.optional(),
    /** As configured in the profile: decides how long a QR code lives (2 or 20 minutes). */
    product: z.enum(['instore', 'online']).default('instore'),
    /** Whether Payconiq has enabled void for the profile; payments then wait for our acknowledge. */
    voidSupport: z.boolean().default(false),
    /** What becomes of a payment that waits for our acknowledge though nobody here asked for it. */
    unexpectedAuthorization: z.enum(DEADLINE_POLICIES).default('void'),
    /** Takes registrations at a loyalty scheme of ours; the message is for those whose payments wait. */
    loyalty: z.strictObject({ message: z.string().min(1).max(256) }).optional(),
    acknowledgeWindowHours: z.number().int().min(1).max(168).default(168),
    /** The production guide prints `/v3/payments/payments/{paymentId}/acknowledge`, by mistake. */
    acknowledgePath: z
      .string()
      .regex(/^\/.*\{paymentId\}/, 'must begin with / and contain {paymentId}')
      .default('/v3/payments/{paymentId}/acknowledge'),
  })
  // Also where a field is wrong in itself, so that every problem is told at once.
  .superRefine(checkTogether, { when: ({ value }) => typeof value === 'object' && value !== null })
  .transform((settings) => ({
    ...ENVIRONMENTS[settings.environment],
    plannedDowntime: settings.environment === 'ext' && settings.apiBaseUrl === undefined,
    ...withoutUndefined(settings),
  }));

export type PayconiqSettings = z.infer<typeof payconiqSettings>;

interface Joint {
  readonly environment?: unknown;
  readonly apiBaseUrl?: unknown;
  readonly jwksUrl?: unknown;
  readonly plannedDowntime?: unknown;
  readonly portalUrl?: unknown;
  readonly merchantId?: unknown;
  readonly apiKey?: unknown;
  readonly signing?: unknown;
  readonly product?: unknown;
  readonly voidSupport?: unknown;
}

/** What settings demand of each other. Their own shapes are not proven here. */
function checkTogether(settings: Joint, context: z.core.$RefinementCtx): void {
  const isProduction = settings.environment === 'prod';
  const problems: readonly (readonly [field: keyof Joint, rule: string, isBroken: boolean])[] = [
    ['apiKey', 'apiKey or signing is needed', settings.apiKey === undefined && !settings.signing],
    [
      'merchantId',
      'is needed to sign requests (claim iss)',
      Boolean(settings.signing) && !settings.merchantId,
    ],
    // payconiq.txt L375-377
    [
      'apiBaseUrl',
      'must be https in production',
      isProduction && isPlainElsewhere(settings.apiBaseUrl),
    ],
    ['jwksUrl', 'must be https in production', isProduction && isPlainElsewhere(settings.jwksUrl)],
    [
      'plannedDowntime',
      'exists in the environment ext only',
      isProduction && settings.plannedDowntime === true,
    ],
    [
      'portalUrl',
      'must be https in production',
      isProduction && isPlainElsewhere(settings.portalUrl),
    ],
    // payconiq.txt L12196-12216
    [
      'voidSupport',
      'exists for in-store profiles only',
      settings.voidSupport === true && settings.product === 'online',
    ],
  ];
  for (const [field, message, isBroken] of problems) {
    if (isBroken) context.addIssue({ code: 'custom', path: [field], message });
  }
}

/** Unencrypted, to another machine than this one. */
export function isPlainElsewhere(url: unknown): boolean {
  if (typeof url !== 'string' || !url.startsWith('http:') || !URL.canParse(url)) return false;
  return !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
}

function withoutUndefined<T extends object>(
  value: T,
): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
