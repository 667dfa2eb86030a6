/**
 * Payconiq's messages. Objects are open: the document's samples carry more than its tables.
 * Amounts are integers of euro cents.
 */
import { z } from 'zod';

const cents = z.int().min(0);
/** `YYYY-MM-ddTHH:mm:ss.SSSZ`; in its samples Z is the letter, elsewhere it stands for +0000. */
const time = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})$/)
  .refine((text) => !Number.isNaN(Date.parse(text)));
/** Payconiq leaves out what it does not know; null says the same. */
const orAbsent = <Schema extends z.ZodType>(schema: Schema) =>
  schema
    .nullish()
    .transform((value) => value ?? undefined)
    .optional();
const link = orAbsent(z.looseObject({ href: z.string() }));

const links = orAbsent(
  z.looseObject({ self: link, deeplink: link, qrcode: link, cancel: link, checkout: link }),
);

/** @see payconiq.txt L879-1090; `expiresAt` here, `expireAt` everywhere else */
export const createAnswer = z.looseObject({
  paymentId: z.string().length(24),
  status: z.string(),
  createdAt: time,
  expiresAt: time,
  amount: cents,
  currency: orAbsent(z.string()),
  reference: orAbsent(z.string()),
  _links: links,
});
export type CreateAnswer = z.infer<typeof createAnswer>;

/** What concerns the payer decides nothing: what cannot be read of it is taken as not said. */
const word = orAbsent(z.string()).catch(undefined);
const debtor = orAbsent(z.looseObject({ name: word, iban: word })).catch(undefined);

const statement = {
  paymentId: z.string().length(24),
  createdAt: time,
  expireAt: time,
  succeededAt: orAbsent(time),
  status: z.string(),
  amount: cents,
  transferAmount: orAbsent(cents),
  tippingAmount: orAbsent(cents),
  totalAmount: orAbsent(cents),
  currency: orAbsent(z.string()),
  description: orAbsent(z.string()),
  reference: orAbsent(z.string()),
  debtor,
  message: word,
};

/** The body of a callback. @see payconiq.txt L437-532 */
export const callback = z.looseObject(statement);

/** One payment, by id or in a search. @see payconiq.txt L1366-1649 */
export const details = z.looseObject({
  ...statement,
  creditor: orAbsent(z.looseObject({ callbackUrl: orAbsent(z.string()) })),
  _links: links,
  /** The bank's End-to-end reference, which only the FAQ names. @see payconiq.txt L15028-15032 */
  endToEndId: orAbsent(z.string()),
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
export const errorAnswer = z.looseObject({ code: z.string(), message: z.string().catch('') });

/** The consumer's full IBAN. @see payconiq.txt L2544-2553 */
export const refundIbanAnswer = z.looseObject({
  iban: z
    .string()
    .transform((iban) => iban.replaceAll(' ', '').toUpperCase())
    .refine((iban) => /^[A-Z]{2}\d{2}[0-9A-Z]{11,30}$/.test(iban)),
});

/** A refund, as its creation and its reading tell it. @see payconiq.txt L11294-11322, L11429-11448 */
export const refundAnswer = z.looseObject({
  refundId: z.string().length(24),
  paymentId: z.string().length(24),
  amount: cents,
  currency: orAbsent(z.string()),
  status: z.string(),
});

/** Integers in the samples of reports, digits in a string in their tables. */
const count = z.union([
  cents,
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
]);
/** Reports write what is not there as an empty text, too. */
const filled = <Schema extends z.ZodType<string>>(schema: Schema) =>
  z
    .literal('')
    .transform(() => undefined)
    .or(schema)
    .nullish()
    .transform((text) => text ?? undefined)
    .optional();
const id = z.string().length(24);
const currency = z.string().regex(/^[A-Z]{3}$/);

/** A page of a report, but for its rows. @see payconiq.txt L10657-10668 */
export const reportPage = z.looseObject({
  totalPages: z.int().min(0),
  totalElements: z.int().min(0),
  number: z.int().min(0),
});

/** `payoutCurrency` in its sample, `currency` in its table. @see payconiq.txt L10615-10714 */
const payoutRow = z
  .object({
    payoutId: id,
    bulkId: filled(z.string()),
    iban: filled(z.string()),
    payoutStatus: z.enum(['SUCCEEDED', 'FAILED']),
    payoutDate: filled(time),
    payoutCurrency: filled(currency),
    currency: filled(currency),
    totalPayments: count,
    totalRefunds: count,
    totalPaymentAmount: count,
    totalRefundAmount: count,
    payoutAmount: count,
  })
  .transform(({ payoutCurrency, currency: other, ...row }, context) => {
    const told = payoutCurrency ?? other;
    if (told !== undefined && (other ?? told) === told) return { ...row, currency: told };
    context.addIssue({ code: 'custom', path: ['payoutCurrency'] });
    return z.NEVER;
  });
export type PayoutRow = z.infer<typeof payoutRow>;

const line = {
  paymentId: id,
  payoutId: filled(id),
  currency,
  amount: count,
  reference: filled(z.string()),
  description: filled(z.string()),
  transactionDate: time,
};
const paymentRow = z.object(line);
const refundRow = z.object({ ...line, refundId: id });
/** A payment's, or with `refundId` a refund's. */
export type LineRow = z.infer<typeof paymentRow> & { readonly refundId?: string };

/** The rows of each report, under its own name. @see payconiq.txt L10833-10935, L11053-11160 */
export const reportRows = {
  payouts: z.array(payoutRow),
  payments: z.array(paymentRow),
  refunds: z.array(refundRow),
} as const;

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
