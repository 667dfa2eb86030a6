/**
 * The ways in which a Payconiq payment comes into being, and the options only Payconiq knows. Which
 * of them a merchant may use is settled in its profile. Pure.
 */
import { z } from 'zod';
import { containsCardNumber } from '../../domain/luhn.js';
import type { PaymentRequest } from '../../domain/payment.js';
import type { PayconiqSettings } from './config.js';
import { parseOgm } from './formats/ogm.js';

export interface FlavourRules {
  /** The profile's product that it needs; any where absent. */
  readonly product?: PayconiqSettings['product'];
  /** Where it is created; absent for what is printed and begins with a scan. */
  readonly path?: string;
  /** How a lost answer to its creation is settled. */
  readonly recovery: 'fetch' | 'reissue';
  readonly returnUrl: 'none' | 'any' | 'https' | 'required';
  /** Whether money can be held for us: in store only (L12196-12216). */
  readonly isVoidable: boolean;
}

const CREATE = { path: '/v3/payments', recovery: 'reissue' } as const;
const PRINTED = { recovery: 'fetch', returnUrl: 'none' } as const;

/** @see payconiq.txt L879, L2737, L6497, L8011, L12281, L4127, L5236, L9468 */
const FLAVOURS = {
  terminal: { ...CREATE, product: 'instore', returnUrl: 'any', isVoidable: true },
  /** Payable by whoever scans the sticker, whether or not the answer reached us (L2616). */
  sticker: {
    path: '/v3/payments/pos',
    recovery: 'fetch',
    product: 'instore',
    returnUrl: 'none',
    isVoidable: true,
  },
  online: { ...CREATE, product: 'online', returnUrl: 'https', isVoidable: false },
  app: { ...CREATE, product: 'online', returnUrl: 'required', isVoidable: false },
  subMerchant: {
    ...CREATE,
    path: '/v3/payments/subMerchant',
    returnUrl: 'https',
    isVoidable: true,
  },
  receipt: { ...PRINTED, isVoidable: true },
  invoice: { ...PRINTED, isVoidable: false },
  topUp: { ...PRINTED, isVoidable: false },
} as const satisfies Record<string, FlavourRules>;

export type Flavour = keyof typeof FLAVOURS;

const texts = (maxLength: number, minLength = 1) =>
  z
    .string({ error: 'must be given, as text' })
    .min(minLength)
    .max(maxLength)
    .refine((text) => !containsCardNumber(text), 'must not contain a card number');

const posId = texts(36).refine(
  (text) => !/^\.{1,2}$/.test(text),
  'must not be . or .., which a URL takes for a folder',
);
const common = { provider: z.literal('payconiq') };
/** Payments of one id are paid out together. @see payconiq.txt L950-953 */
const created = { ...common, bulkId: texts(35).optional() };

const subMerchantOptions = z
  .strictObject({
    ...created,
    flavour: z.literal('subMerchant'),
    /** Where the sub-merchant is. */
    country: z.enum(['NLD', 'BEL', 'LUX']),
    paymentChannel: z.enum(['INSTORE', 'ONLINE']),
    /** Needed in store. */
    posId: posId.optional(),
    /** Who the money is for in the end. */
    subMerchant: z.strictObject({
      subMerchantId: texts(36),
      /** Shown to the payer. */
      name: texts(22),
      naceCode: texts(255).optional(),
      mcc: texts(4, 4).optional(),
    }),
  })
  .refine((options) => options.paymentChannel !== 'INSTORE' || options.posId !== undefined, {
    path: ['posId'],
    message: 'is needed for payments in store',
  });

/** @see payconiq.txt L917-953, L2786-2832, L6540-6587, L12330-12411, L4127-4165, L5312 */
const payconiqOptions = z.discriminatedUnion(
  'flavour',
  [
    z.strictObject({ ...created, flavour: z.literal('terminal') }),
    z.strictObject({
      ...created,
      flavour: z.literal('sticker'),
      /** As the sticker says. */
      posId,
      shopId: texts(36).optional(),
      /** Shown to the payer. */
      shopName: texts(36).optional(),
    }),
    z.strictObject({ ...created, flavour: z.literal('online') }),
    z.strictObject({
      ...created,
      flavour: z.literal('app'),
      /** Whose app shall open; that of Bancontact wants its link in lower case (L8160). */
      app: z.enum(['payconiq', 'bancontact']).default('payconiq'),
      /** Payconiq's page in case the app does not open, in place of its link (L7947). */
      fallbackPage: z.boolean().default(false),
    }),
    subMerchantOptions,
    z.strictObject({ ...common, flavour: z.literal('receipt') }),
    z.strictObject({
      ...common,
      flavour: z.literal('invoice'),
      /** An OGM, in the place of description and reference (L5214, L5312). */
      structuredCommunication: z
        .string()
        .refine((text) => parseOgm(text) !== undefined, {
          message: 'must be a structured communication with right check digits',
        })
        .optional(),
    }),
    z.strictObject({ ...common, flavour: z.literal('topUp') }),
  ],
  {
    error: ({ code }) =>
      code === 'invalid_union' ? `must be one of ${Object.keys(FLAVOURS).join(', ')}` : undefined,
  },
);

export type PayconiqOptions = z.infer<typeof payconiqOptions>;

export type OptionsOf<Name extends Flavour> = Extract<PayconiqOptions, { readonly flavour: Name }>;

type Product = Pick<PayconiqSettings, 'product'>;

/** The options as asked for, the flavour filled in: what the profile sells on its screens. */
export function parseOptions({ product }: Product, options: PaymentRequest['options'] | null) {
  const flavour: Flavour = product === 'online' ? 'online' : 'terminal';
  const given: unknown = options ?? { provider: 'payconiq' };
  return payconiqOptions.safeParse(
    typeof given === 'object' && !Array.isArray(given) ? { flavour, ...given } : given,
  );
}

/** The options of a request that was checked. */
export function optionsOf(settings: Product, { options }: PaymentRequest): PayconiqOptions {
  const parsed = parseOptions(settings, options);
  if (!parsed.success) throw parsed.error;
  return parsed.data;
}

export function flavourRules(flavour: Flavour): FlavourRules {
  return FLAVOURS[flavour];
}

/** The rules of a request's flavour. */
export function rulesOf(settings: Product, request: PaymentRequest): FlavourRules {
  return flavourRules(optionsOf(settings, request).flavour);
}

/** Whether nothing is created: the payment begins when somebody scans what was printed. */
export function isPrinted({ path }: FlavourRules): boolean {
  return path === undefined;
}
