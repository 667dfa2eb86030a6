/** Encryption of everything that Temporal stores for us: payloads and failures. */
import { fileURLToPath } from 'node:url';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { KeyRing } from '../transport/keyring.js';
import { open, seal } from '../transport/seal.js';

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/** The metadata `encoding` of an encrypted payload. */
const ENCRYPTED_ENCODING = 'binary/encrypted';
/** The metadata that tells people which key is needed; opening goes by the sealed bytes alone. */
const KEY_ID_METADATA = 'encryption-key-id';

const CONTEXT = { context: 'temporal-payload' };

export interface CodecOptions {
  /**
   * Whether payloads that are not encrypted are taken as they are. By default they are refused:
   * only who has a key can start, signal or answer. Needed to go on with histories from before
   * encryption.
   */
  readonly allowPlain?: boolean;
}

/** A payload that came unencrypted and is not taken. */
export class PlainPayloadError extends Error {
  override readonly name = 'PlainPayloadError';
  readonly code = 'plain_payload';
}

/**
 * Seals each payload whole, metadata included, into one of encoding `binary/encrypted`.
 * `decode` rejects with SealError, or with PlainPayloadError unless plain ones are allowed.
 */
export function encryptionCodec(ring: KeyRing, options: CodecOptions = {}): PayloadCodec {
  return {
    encode: (payloads) => attempt(() => payloads.map((payload) => sealPayload(ring, payload))),
    decode: (payloads) =>
      attempt(() => payloads.map((payload) => openPayload(ring, payload, options))),
  };
}

/**
 * For Temporal's clients and workers. A prebuilt workflow bundle needs this converter's
 * `failureConverterPath` when it is built.
 */
export function encryptedDataConverter(ring: KeyRing, options: CodecOptions = {}): DataConverter {
  return {
    payloadCodecs: [encryptionCodec(ring, options)],
    failureConverterPath: FAILURE_CONVERTER_PATH,
  };
}

/** The failure converter's file: beside this one, built where this one is. */
export const FAILURE_CONVERTER_PATH = fileURLToPath(
  new URL(`failure-converter${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

export function isEncrypted(payload: Payload): boolean {
  return encodingOf(payload) === ENCRYPTED_ENCODING;
}

function sealPayload(ring: KeyRing, payload: Payload): Payload {
  return {
    metadata: {
      encoding: Buffer.from(ENCRYPTED_ENCODING),
      [KEY_ID_METADATA]: Buffer.from(ring.currentId),
    },
    data: seal(ring, PayloadMessage.encode(payload).finish(), CONTEXT),
  };
}

function openPayload(ring: KeyRing, payload: Payload, { allowPlain }: CodecOptions): Payload {
  if (isEncrypted(payload)) {
    return PayloadMessage.decode(open(ring, payload.data ?? new Uint8Array(), CONTEXT));
  }
  if (allowPlain) return payload;
  throw new PlainPayloadError('a payload is not encrypted, and plain ones are not taken');
}

function encodingOf({ metadata }: Payload): string | undefined {
  const encoding = metadata?.['encoding'];
  return encoding && Buffer.from(encoding).toString('utf8');
}

/** A promise of the work: what it throws becomes a rejection, as the SDK expects it. */
function attempt<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}
