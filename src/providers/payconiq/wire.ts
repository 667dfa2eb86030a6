/**
 * Payconiq's messages. Objects are open: the document's samples carry more than its tables.
 * Amounts are integers of euro cents.
 */
import { z } from 'zod';

const cents = z.int().min(0);
const link = z.looseObject({ href: z.string() }).optional();

const links = z
  .looseObject({ self: link, deeplink: link, qrcode: link, cancel: link, checkout: link })
  .optional();

/** @see payconiq.txt L879-1090; `expiresAt` here, `expireAt` everywhere else */
export const createAnswer = z.looseObject({
  paymentId: z.string().length(24),
  status: z.string(),
  createdAt: z.iso.datetime({ offset: true }),
  expiresAt: z.iso.datetime({ offset: true }),
  amount: cents,
  currency: z.string().optional(),
  reference: z.string().nullish(),
  _links: links,
});
export type CreateAnswer = z.infer<typeof createAnswer>;

const statement = {
  paymentId: z.string().length(24),
  createdAt: z.iso.datetime({ offset: true }),
  expireAt: z.iso.datetime({ offset: true }),
  succeededAt: z.iso.datetime({ offset: true }).nullish(),
  status: z.string(),
  amount: cents,
  transferAmount: cents.nullish(),
  tippingAmount: cents.nullish(),
  totalAmount: cents.nullish(),
  currency: z.string().nullish(),
  description: z.string().nullish(),
  reference: z.string().nullish(),
};

/** The body of a callback. @see payconiq.txt L437-532 */
export const callback = z.looseObject(statement);

/** One payment, by id or in a search. @see payconiq.txt L1366-1649 */
export const details = z.looseObject({
  ...statement,
  creditor: z.looseObject({ callbackUrl: z.string().nullish() }).nullish(),
  _links: links,
});
export type Details = z.infer<typeof details>;

/** What a callback and the details have in common. */
export type Statement = z.infer<typeof callback>;

/** @see payconiq.txt L1651-2031 */
export const searchAnswer = z.looseObject({
  totalPages: z.int().min(0),
  totalElements: z.int().min(0),
  number: z.int().min(0),
  details: z.array(details),
});

/** @see payconiq.txt L707-725 */
export const errorAnswer = z.looseObject({ code: z.string(), message: z.string().default('') });

/** Ours: the options only Payconiq knows. */
export const payconiqOptions = z.strictObject({
  provider: z.literal('payconiq'),
  bulkId: z.string().min(1).max(35).optional(),
});

/** Parses a JSON body; undefined when it is not JSON or not of the shape. */
export function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  body: Uint8Array,
): z.infer<Schema> | undefined {
  try {
    const parsed = schema.safeParse(
      JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)),
    );
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
