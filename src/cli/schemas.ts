/** JSON Schemas of what callers in other languages send to our workflows through Temporal. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CAPTURE_MODES, type PaymentRequest } from '../domain/payment.js';
import { TIMING } from '../domain/timing.js';
import {
  capturePayment,
  components,
  giveReason,
  openPayment,
  payment,
  repairPayment,
  time,
} from '../http/schemas.js';
import { askRefund, refund, repairRefund } from '../http/refund-schemas.js';
import type { RefundRequest } from '../domain/refund.js';
import type { OpenInput, OpenRefundInput } from '../workflows/contract.js';

const asked = openPayment.shape;

const request = z.strictObject({
  ...asked,
  paymentId: asked.paymentId
    .unwrap()
    .meta({ description: 'Yours: the same id, the same payment.' }),
  captureMode: z.enum(CAPTURE_MODES),
  requestedAt: time,
} satisfies Record<Exclude<keyof PaymentRequest, 'origin'>, z.ZodType>);

const timing = z
  .enum(Object.keys(TIMING) as [keyof typeof TIMING])
  .optional()
  .meta({ description: 'Left out in production.' });

const openInput = z.strictObject({
  mode: z.literal('open'),
  request,
  timing,
} satisfies Record<keyof OpenInput, z.ZodType>);

const askedRefund = askRefund.unwrap().unwrap().shape;

const openRefundInput = z.strictObject({
  mode: z.literal('open'),
  request: z.strictObject({
    ...askedRefund,
    refundId: askedRefund.refundId
      .unwrap()
      .meta({ description: 'Yours: the same id, the same refund.' }),
    paymentId: asked.paymentId.unwrap().meta({ description: 'What is to be refunded.' }),
    requestedAt: time,
  } satisfies Record<keyof RefundRequest, z.ZodType>),
  timing,
} satisfies Record<keyof OpenRefundInput, z.ZodType>);

const SCHEMAS = {
  'payment.start': [openInput, 'Argument of the workflow `payment`, id `payment/<paymentId>`.'],
  'payment.capture': [capturePayment.unwrap().unwrap(), 'Argument of the update `capture`.'],
  'payment.void': [giveReason, 'Argument of the update `void`.'],
  'payment.cancel': [giveReason, 'Argument of the update `cancel`.'],
  'payment.repair': [repairPayment, 'Argument of the update `repair`.'],
  'payment.result': [
    payment,
    'What the workflow, its updates and its query `payment` answer with.',
  ],
  'refund.start': [openRefundInput, 'Argument of the workflow `refund`, id `refund/<refundId>`.'],
  'refund.cancel': [giveReason, 'Argument of the update `cancel`.'],
  'refund.repair': [repairRefund, 'Argument of the update `repair`.'],
  'refund.result': [refund, 'What the workflow, its updates and its query `refund` answer with.'],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

/** Each schema by its file name without ending. */
export function workflowSchemas(): Readonly<Record<string, object>> {
  return Object.fromEntries(
    Object.entries(SCHEMAS).map(([name, [schema, description]]) => [
      name,
      { title: name, description, ...z.toJSONSchema(schema, { metadata: components }) },
    ]),
  );
}

export async function writeWorkflowSchemas(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [name, schema] of Object.entries(workflowSchemas())) {
    const text = `${JSON.stringify(schema, null, 2)}\n`;
    await writeFile(join(directory, `${name}.schema.json`), text);
  }
}
