/** Shapes of the API: what it takes and what it answers. The OpenAPI document is made of them. */
import { z } from 'zod';
import { STATABLE_FACT_KINDS } from '../domain/facts.js';
import { OPERATION_NAMES } from '../domain/ids.js';
import { CAPTURE_MODES, DEADLINE_POLICIES } from '../domain/payment.js';
import { PAYER_FIELDS, type PayerField } from '../domain/payer.js';
import { PROBLEM_CODES, type ProblemCode } from '../domain/problem.js';
import { PAYMENT_STATUSES } from '../domain/reducer.js';

/** Named shapes; each becomes a component of the OpenAPI document. */
export const components = z.registry<{
  readonly id?: string;
  readonly description?: string;
  readonly examples?: unknown[];
}>();

const TIME_RULE = 'must be an ISO 8601 time with its offset, e.g. 2026-01-31T12:00:00Z';
export const time = z.iso.datetime({ offset: true, error: TIME_RULE });

export const paymentId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
    'must be 1 to 64 letters, digits, _ or -, beginning with a letter or digit',
  );

export const text = (maxLength: number) => {
  const rule = `must have 1 to ${maxLength} characters`;
  return z.string().min(1, rule).max(maxLength, rule);
};

const currency = z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 currency code in upper case');

export const positiveMoney = z
  .strictObject({
    minor: z
      .string()
      .regex(/^[1-9]\d{0,29}$/, 'must be a positive integer of minor units, written as a string'),
    currency,
  })
  .register(components, {
    id: 'PositiveMoney',
    description: 'Minor units as a string: "1250" of EUR is 12.50 euros.',
    examples: [{ minor: '1250', currency: 'EUR' }],
  });

const askedAmount = positiveMoney
  .extend({ minor: positiveMoney.shape.minor.optional() })
  .register(components, {
    id: 'AskedAmount',
    description: 'Minor units as a string. A currency alone: the payer chooses the amount.',
    examples: [{ minor: '1250', currency: 'EUR' }, { currency: 'EUR' }],
  });

export const openPayment = z
  .strictObject({
    paymentId: paymentId.optional().register(components, {
      description: 'Yours, if you keep one; else it derives from your key and Idempotency-Key.',
    }),
    connectionId: text(64).register(components, { description: 'One of `GET /v1/connections`.' }),
    amount: askedAmount,
    merchantReference: text(256).register(components, { description: 'Sent to the provider.' }),
    captureMode: z
      .enum(CAPTURE_MODES)
      .optional()
      .register(components, { description: '`automatic` unless said otherwise.' }),
    description: text(512).optional().register(components, { description: 'Shown to the payer.' }),
    returnUrl: z
      .string()
      .optional()
      .register(components, { description: 'Where the payer goes afterwards.' }),
    captureBefore: time.optional().register(components, {
      description: '`manual` only: what is not captured by then is voided.',
    }),
    atDeadline: z.enum(DEADLINE_POLICIES).optional().register(components, {
      description: '`manual` only: what happens to money that nobody decided on by then.',
    }),
    options: z
      .looseObject({ provider: text(64) })
      .optional()
      .register(components, { description: "One provider's own options; `provider` says whose." }),
  })
  .register(components, {
    id: 'OpenPayment',
    examples: [
      {
        connectionId: 'shop',
        amount: { minor: '1250', currency: 'EUR' },
        merchantReference: 'order-1001',
        description: 'Two coffees',
      },
    ],
  });

export const capturePayment = z
  .strictObject({ amount: positiveMoney.optional() })
  .nullish()
  .register(components, {
    id: 'CapturePayment',
    description: 'Without an amount, all that is authorized.',
    examples: [{ amount: { minor: '1250', currency: 'EUR' } }],
  });

export const giveReason = z
  .strictObject({ reason: text(200) })
  .register(components, { id: 'GiveReason', examples: [{ reason: 'the table was cancelled' }] });

export const money = z
  .strictObject({ minor: z.string().regex(/^-?\d+$/), currency })
  .register(components, {
    id: 'Money',
    description: 'Minor units as a string: "1250" of EUR is 12.50 euros.',
  });

const violation = z.strictObject({
  field: z.string(),
  rule: z.string(),
  value: z.string().optional(),
});

export const paymentProblem = z
  .strictObject({
    code: z.enum(Object.keys(PROBLEM_CODES) as [ProblemCode, ...ProblemCode[]]),
    message: z.string(),
    providerCode: z.string().optional(),
    violations: z.array(violation).optional(),
  })
  .register(components, { id: 'PaymentProblem' });

const nextAction = z
  .strictObject({
    kind: z.enum(['redirect', 'qr_code', 'app_link', 'form_post']),
    url: z.string().optional(),
    qrCode: z.strictObject({ content: z.string(), imageUrl: z.string().optional() }).optional(),
    appLink: z.string().optional(),
    fields: z.record(z.string(), z.string()).optional(),
    expiresAt: z.string().optional(),
  })
  .register(components, { id: 'NextAction', description: 'What the payer has to do.' });

export const operation = z
  .strictObject({
    operation: z.enum(OPERATION_NAMES),
    sequence: z.number().int(),
    key: z.string(),
    state: z.enum([
      'sent',
      'unknown',
      'not_sent',
      'pending',
      'succeeded',
      'declined',
      'superseded',
    ]),
    amount: money.optional(),
    intendedAt: z.string(),
    settledAt: z.string().optional(),
    problem: paymentProblem.optional(),
  })
  .register(components, { id: 'Operation' });

const statedFact = z.strictObject({
  kind: z.enum(STATABLE_FACT_KINDS),
  object: text(256).optional(),
  amount: positiveMoney.optional(),
  occurredAt: time.optional(),
});

const repair = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('ask') }),
    z.strictObject({ kind: z.literal('state'), fact: statedFact }),
    z.strictObject({ kind: z.literal('retry'), operation: z.enum(['capture', 'void', 'cancel']) }),
    z.strictObject({ kind: z.literal('dismiss') }),
  ])
  .register(components, {
    id: 'Repair',
    description:
      '`ask` the provider and believe its answer; `state` a fact there is evidence of; allow a ' +
      '`retry` of an operation that was refused for good; `dismiss` what has been looked at.',
    examples: [{ kind: 'ask' }],
  });

const repairFields = { repair, actor: text(200), reason: text(200) };

export const repairPayment = z.strictObject(repairFields).register(components, {
  id: 'RepairPayment',
  examples: [{ repair: { kind: 'ask' }, actor: 'ada', reason: 'the payer says it is paid' }],
});

const repairRecord = z
  .strictObject({ ...repairFields, at: z.string(), factCount: z.number().int() })
  .register(components, { id: 'RepairRecord' });

export const status = z.enum(PAYMENT_STATUSES);

export const payment = z
  .strictObject({
    paymentId: z.string(),
    connectionId: z.string(),
    merchantReference: z.string(),
    description: z.string().optional(),
    captureMode: z.enum(CAPTURE_MODES),
    status,
    amounts: z.strictObject({
      requested: money.optional(),
      authorized: money,
      captured: money,
      voided: money,
      refunded: money,
    }),
    providerReference: z.string().optional(),
    nextAction: nextAction.optional(),
    payerDeadline: z.string().optional(),
    captureBefore: z.string().optional(),
    problem: paymentProblem.optional(),
    flags: z.array(z.string()),
    attention: z.strictObject({ reason: z.string(), since: z.string() }).optional(),
    unknownSince: z.string().optional(),
    operations: z.array(operation),
    repairs: z.array(repairRecord).optional(),
    origin: z.literal('adopted').optional().register(components, {
      description: 'Nobody asked for it here: the provider told of it.',
    }),
    ended: z.boolean(),
    requestedAt: z.string(),
  })
  .register(components, {
    id: 'Payment',
    examples: [
      {
        paymentId: 'pay_5k2m7q4ycnaxw3vj6ptzr2hbde',
        connectionId: 'shop',
        merchantReference: 'order-1001',
        captureMode: 'automatic',
        status: 'requires_action',
        amounts: {
          requested: { minor: '1250', currency: 'EUR' },
          authorized: { minor: '0', currency: 'EUR' },
          captured: { minor: '0', currency: 'EUR' },
          voided: { minor: '0', currency: 'EUR' },
          refunded: { minor: '0', currency: 'EUR' },
        },
        nextAction: { kind: 'qr_code', qrCode: { content: 'https://payer.example/pay/1' } },
        flags: [],
        operations: [],
        ended: false,
        requestedAt: '2026-01-31T12:00:00.000Z',
      },
    ],
  });

export const accepted = z
  .strictObject({ paymentId: z.string(), status: status.optional() })
  .register(components, {
    id: 'Accepted',
    description: 'No answer came in time. The payment goes on under this id; ask again.',
    examples: [{ paymentId: 'pay_5k2m7q4ycnaxw3vj6ptzr2hbde', status: 'created' }],
  });

export const paymentPage = z
  .strictObject({ payments: z.array(payment), nextCursor: z.string().optional() })
  .register(components, { id: 'PaymentPage' });

export const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string(),
    detail: z.string(),
    instance: z.string().optional(),
    violations: z.array(violation).optional(),
  })
  .register(components, {
    id: 'Problem',
    description: 'RFC 9457. `code` is for programs, `detail` for people.',
    examples: [
      {
        type: 'urn:holdfast:problem:invalid_request',
        title: PROBLEM_CODES.invalid_request,
        status: 400,
        code: 'invalid_request',
        detail: 'amount.currency must be an ISO 4217 currency code in upper case',
        instance: '/v1/payments',
        violations: [
          {
            field: 'amount.currency',
            rule: 'must be an ISO 4217 currency code in upper case',
            value: 'eur',
          },
        ],
      },
    ],
  });

const payerFields = Object.keys(PAYER_FIELDS) as PayerField[];

export const payer = z
  .strictObject(
    Object.fromEntries(payerFields.map((field) => [field, z.string().optional()])) as Record<
      PayerField,
      z.ZodOptional<z.ZodString>
    >,
  )
  .register(components, {
    id: 'Payer',
    description: 'What the provider told of the payer. What is not known is absent.',
    examples: [{ name: 'John', iban: '*************12636' }],
  });

export const refundIban = z
  .strictObject({ iban: z.string() })
  .register(components, { id: 'RefundIban', description: 'Personal data of the payer.' });
