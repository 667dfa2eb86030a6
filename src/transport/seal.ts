/**
 * Authenticated encryption of data at rest: AES-256-GCM under a key ring, and under one key for
 * each payer, so that a payer is forgotten by deleting a row. docs/encryption.md has the format
 * for other languages.
 */
import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';
import { KEY_BYTES, createKeyRing, isKeyId, type KeyRing } from './keyring.js';

/**
 * Why something cannot be opened.
 * - `malformed`: these bytes are not of the format.
 * - `unsupported_version`: sealed by a later version of the format.
 * - `unknown_key`: `keyId` names a key that is not at hand.
 * - `not_authentic`: altered, sealed for another context, or by another key of the same id.
 */
export type SealErrorCode = 'malformed' | 'unsupported_version' | 'unknown_key' | 'not_authentic';

export class SealError extends Error {
  override readonly name = 'SealError';
  readonly code: SealErrorCode;
  /** The key that would be needed, as far as it can be told. */
  readonly keyId: string | undefined;

  constructor(
    { code, keyId, message }: { code: SealErrorCode; keyId?: string; message: string },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.keyId = keyId;
  }
}

export interface SealOptions {
  /**
   * What the data is and where it belongs, e.g. `temporal-payload` or `inbox-body:<row>`. It is not
   * stored, but opening demands the same one: what was sealed for one place opens in no other.
   */
  readonly context: string;
}

/** A payer's own key as it is stored, sealed by the key ring. Deleting it forgets the payer. */
export interface PayerKeyRow {
  readonly keyId: string;
  readonly sealedKey: Uint8Array;
}

/** Personal data as it may stand in workflows and tables. `ciphertext` is base64. */
export interface SealedPersonalData {
  readonly keyId: string;
  readonly ciphertext: string;
}

const VERSION = 1;
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Version and length of the key id. */
const PREFIX_BYTES = 2;
const PERSONAL_CONTEXT = 'personal-data';

/**
 * Seals with the current key. Adds 30 bytes and the key's id.
 *
 * @throws RangeError when the context is empty
 */
export function seal(ring: KeyRing, plaintext: Uint8Array, { context }: SealOptions): Uint8Array {
  const header = headerOf(ring.currentId);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, keyOf(ring, ring.currentId), nonce, {
    authTagLength: TAG_BYTES,
  });
  cipher.setAAD(boundData(header, context));
  const ciphertext = cipher.update(plaintext);
  return Buffer.concat([header, nonce, ciphertext, cipher.final(), cipher.getAuthTag()]);
}

/**
 * Opens what `seal` sealed with any key of the ring, in the same context.
 *
 * @throws SealError, RangeError when the context is empty
 */
export function open(ring: KeyRing, sealed: Uint8Array, { context }: SealOptions): Uint8Array {
  const { keyId, header, nonce, ciphertext, tag } = parse(sealed);
  const decipher = createDecipheriv(ALGORITHM, keyOf(ring, keyId), nonce, {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(boundData(header, context));
  decipher.setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch (cause) {
    const message = `not sealed by the key "${keyId}" for this place, or altered since`;
    throw new SealError({ code: 'not_authentic', keyId, message }, { cause });
  }
}

/**
 * The id of the key that something is sealed with, believed but not proven.
 *
 * @throws SealError `malformed` or `unsupported_version`
 */
export function sealedKeyId(sealed: Uint8Array): string {
  return parse(sealed).keyId;
}

/** A new random key for one payer, sealed by the current key. */
export function newPayerKey(ring: KeyRing): PayerKeyRow {
  const keyId = `payer-${randomBytes(16).toString('base64url')}`;
  const sealedKey = seal(ring, randomBytes(KEY_BYTES), payerKeyContext(keyId));
  return { keyId, sealedKey };
}

/**
 * The same payer's key, sealed by the current key: for all rows, before an old key is dropped.
 *
 * @throws SealError
 */
export function resealPayerKey(ring: KeyRing, { keyId, sealedKey }: PayerKeyRow): PayerKeyRow {
  const context = payerKeyContext(keyId);
  return { keyId, sealedKey: seal(ring, open(ring, sealedKey, context), context) };
}

/**
 * Seals a payer's personal data with the payer's key.
 *
 * @throws SealError when the key row cannot be opened
 */
export function sealPersonal(ring: KeyRing, keyRow: PayerKeyRow, text: string): SealedPersonalData {
  const sealed = seal(payerKeyRing(ring, keyRow), Buffer.from(text), { context: PERSONAL_CONTEXT });
  return { keyId: keyRow.keyId, ciphertext: Buffer.from(sealed).toString('base64') };
}

/**
 * Opens a payer's personal data. Once the key row is deleted, nothing does.
 *
 * @throws SealError; `unknown_key` when the row is another payer's
 */
export function openPersonal(
  ring: KeyRing,
  keyRow: PayerKeyRow,
  { keyId, ciphertext }: SealedPersonalData,
): string {
  if (keyId !== keyRow.keyId) throw unknownKey(keyId);
  const sealed = Buffer.from(ciphertext, 'base64');
  const opened = open(payerKeyRing(ring, keyRow), sealed, { context: PERSONAL_CONTEXT });
  return Buffer.from(opened).toString('utf8');
}

/**
 * A ring of the payer's key alone, to seal what is not text with it.
 *
 * @throws SealError when the key row cannot be opened
 */
export function payerKeyRing(ring: KeyRing, { keyId, sealedKey }: PayerKeyRow): KeyRing {
  const secret = open(ring, sealedKey, payerKeyContext(keyId));
  return createKeyRing([{ id: keyId, secret }]);
}

/** Bound to its row: a row that got another's key opens nothing, instead of the wrong payer. */
function payerKeyContext(keyId: string): SealOptions {
  return { context: `payer-key:${keyId}` };
}

interface Parts {
  readonly keyId: string;
  readonly header: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

function parse(sealed: Uint8Array): Parts {
  const [version, keyIdLength = 0] = sealed;
  if (version !== undefined && version !== VERSION) {
    const message = `sealed in version ${version} of the format, which is not known here`;
    throw new SealError({ code: 'unsupported_version', message });
  }
  const nonceAt = PREFIX_BYTES + keyIdLength;
  const ciphertextAt = nonceAt + NONCE_BYTES;
  const tagAt = sealed.length - TAG_BYTES;
  const keyId = Buffer.from(sealed.subarray(PREFIX_BYTES, nonceAt)).toString('latin1');
  if (tagAt < ciphertextAt || !isKeyId(keyId)) {
    throw new SealError({ code: 'malformed', message: 'these bytes are not sealed data' });
  }
  return {
    keyId,
    header: sealed.subarray(0, nonceAt),
    nonce: sealed.subarray(nonceAt, ciphertextAt),
    ciphertext: sealed.subarray(ciphertextAt, tagAt),
    tag: sealed.subarray(tagAt),
  };
}

function headerOf(keyId: string): Buffer {
  return Buffer.concat([Buffer.of(VERSION, keyId.length), Buffer.from(keyId, 'latin1')]);
}

/** The header tells its own length, so that no header and context read like another pair. */
function boundData(header: Uint8Array, context: string): Buffer {
  if (context === '') throw new RangeError('"context" must say what is sealed');
  return Buffer.concat([header, Buffer.from(context)]);
}

function keyOf(ring: KeyRing, keyId: string): KeyObject {
  const key = ring.find(keyId);
  if (key === undefined) throw unknownKey(keyId);
  return key;
}

function unknownKey(keyId: string): SealError {
  const message = isKeyId(keyId)
    ? `sealed with the key "${keyId}", which is not at hand`
    : 'sealed with a key that is not at hand';
  return new SealError({ code: 'unknown_key', keyId, message });
}
