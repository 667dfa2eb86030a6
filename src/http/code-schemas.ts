/** Shapes of what merchants print and of what banks print: codes and lines of statements. */
import { z } from 'zod';
import { components, text } from './schemas.js';

export const askedCode = z.looseObject({ kind: text(64) }).register(components, {
  id: 'AskedCode',
  description:
    "What the code is for, by the provider's `kind`, with what that kind takes. Payconiq: " +
    '`sticker` {posId}; `receipt`, `invoice`, `topUp` {amount?, description?, reference?}; ' +
    '`invoice` also {communication} or {invoiceNumber} in the place of both texts; all of them ' +
    '{format?, size?, colour?} of the image at `imageUrl`.',
  examples: [
    { kind: 'sticker', posId: 'till-1' },
    { kind: 'invoice', amount: { minor: '1250', currency: 'EUR' }, invoiceNumber: '2026001' },
  ],
});

export const printableCode = z
  .strictObject({
    content: z.string().register(components, { description: 'What the code says: a URL.' }),
    imageUrl: z.string().register(components, { description: 'Where the provider draws it.' }),
    appLink: z.string().optional().register(components, {
      description: "Opens the provider's app on a phone, e.g. from an e-mail.",
    }),
  })
  .register(components, { id: 'PrintableCode' });

const choice = z.string().max(16, 'is too long').optional();

export const codeImageQuery = z.strictObject({
  content: text(2_048).register(components, { description: 'Of a code of this connection.' }),
  format: choice.register(components, { description: 'Payconiq: `PNG` (default) or `SVG`.' }),
  size: choice.register(components, {
    description:
      'Payconiq, `PNG` only: `S` (180 pixels, default), `M` (250), `L` (400), `XL` (800).',
  }),
  colour: choice.register(components, { description: 'Payconiq: `magenta` (default), `black`.' }),
});

export const statementEntry = z
  .strictObject({
    text: text(1_000).register(components, { description: 'The remittance information.' }),
    endToEndId: text(64)
      .optional()
      .register(components, { description: "The bank's end-to-end reference." }),
    account: z.enum(['merchant', 'partner']).optional().register(components, {
      description: 'Whose account it is; `merchant` unless said otherwise.',
    }),
  })
  .register(components, { id: 'StatementEntry' });

const movement = {
  providerReference: z.string(),
  payee: z.string(),
  reference: z.string().optional(),
  description: z.string().optional(),
  endToEndId: z.string().optional(),
};

export const statementLine = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.enum(['payment', 'partner_payment']), ...movement }),
    z.strictObject({ kind: z.literal('refund'), ...movement }),
    z.strictObject({
      kind: z.literal('structured_invoice'),
      communication: z.string(),
      endToEndId: z.string().optional(),
    }),
    z.strictObject({
      kind: z.literal('bulk_payout'),
      businessDate: z.string(),
      endToEndId: z.string(),
      bulkId: z.string().optional(),
      merchantId: z.string(),
    }),
  ])
  .register(components, {
    id: 'StatementLine',
    description: 'What the provider wrote: one payment, one refund, an invoice, or many payments.',
  });
