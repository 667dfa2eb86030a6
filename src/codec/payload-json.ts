/** Payloads as the codec protocol writes them: proto3 JSON, bytes in base64. */
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { z } from 'zod';
import { refusedFields } from '../http/problems.js';

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/** Both alphabets, padded or not: proto3 JSON demands that a reader takes them all. */
const base64 = z.string().regex(/^[\w+/-]*={0,2}$/, 'must be base64');

const body = z.object({
  payloads: z
    .array(
      z.object({
        metadata: z.record(z.string(), base64).nullish(),
        data: base64.nullish(),
        externalPayloads: z
          .array(z.object({ sizeBytes: z.union([z.string(), z.int()]).optional() }))
          .nullish(),
      }),
    )
    .nullish(),
});

export interface PayloadsJson {
  readonly payloads: readonly object[];
}

/**
 * The payloads of a request; none where the member is missing, as proto3 JSON leaves out what is
 * empty. Members that are not known are ignored.
 *
 * @throws ApiError `invalid_request` naming the field
 */
export function readPayloads(json: unknown): Payload[] {
  const parsed = body.safeParse(json);
  if (!parsed.success) {
    throw refusedFields(
      parsed.error.issues.map(({ path, message }) => ({ field: path.join('.'), rule: message })),
    );
  }
  return (parsed.data.payloads ?? []).map(({ metadata, data, externalPayloads }) =>
    PayloadMessage.fromObject({
      metadata: mapValues(metadata ?? {}, (each) => Buffer.from(each, 'base64')),
      data: Buffer.from(data ?? '', 'base64'),
      externalPayloads,
    }),
  );
}

export function writePayloads(payloads: readonly Payload[]): PayloadsJson {
  const inJson = { bytes: String, longs: String };
  return {
    payloads: payloads.map((each) => PayloadMessage.toObject(PayloadMessage.create(each), inJson)),
  };
}

function mapValues<V, W>(
  record: Readonly<Record<string, V>>,
  change: (value: V) => W,
): Record<string, W> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
