import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Text is hashed as UTF-8. */
export type Bytes = string | Uint8Array;

const BASE32_ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const SHA256_BASE32_LENGTH = 51;

const FITTING_KEY = /^[A-Za-z0-9_./-]+$/;
/** In hex digits: fewer, and two keys could meet. */
const SHORTEST_KEY = 32;

/** SHA-256 as 64 lower-case hex digits. */
export function sha256Hex(data: Bytes): string {
  return createHash('sha256').update(data).digest('hex');
}

/** HMAC-SHA256, 32 bytes. */
export function hmacSha256(key: Bytes, data: Bytes): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

/**
 * Whether two secrets are equal, in a time that tells neither where they differ nor how long the
 * expected one is. Both sides are digested first, so any two lengths may be compared.
 */
export function constantTimeEqual(a: Bytes, b: Bytes): boolean {
  const blinding = randomBytes(32);
  return timingSafeEqual(hmacSha256(blinding, a), hmacSha256(blinding, b));
}

/** `bytes` random bytes as unpadded base64url. */
export function randomToken(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

/**
 * The first `length` characters of SHA-256 in lower-case base32 (RFC 4648 alphabet, a-z2-7), five
 * bits each: for ids that must be derived, short and safe in any URL or key.
 *
 * @throws RangeError unless 1 ≤ length ≤ 51 (255 of the digest's 256 bits)
 */
export function sha256Base32(data: Bytes, length: number): string {
  if (!Number.isInteger(length) || length < 1 || length > SHA256_BASE32_LENGTH) {
    throw new RangeError(`length must be 1..${SHA256_BASE32_LENGTH}`);
  }
  const bits = BigInt(`0x${sha256Hex(data)}`);
  let text = '';
  for (let shift = 251n; text.length < length; shift -= 5n) {
    text += BASE32_ALPHABET[Number((bits >> shift) & 31n)];
  }
  return text;
}

/**
 * An idempotency key as a provider can take it: the key itself where it has 1 to `maxLength`
 * characters of `A-Z a-z 0-9 _ - . /`, else the first `maxLength` hex digits of its SHA-256. The same
 * for the same key, for ever.
 *
 * @param maxLength the provider's limit, in characters
 * @throws RangeError unless maxLength is an integer of at least 32
 */
export function fittingKey(key: string, maxLength: number): string {
  if (!Number.isInteger(maxLength) || maxLength < SHORTEST_KEY) {
    throw new RangeError(`maxLength must be an integer of at least ${SHORTEST_KEY}`);
  }
  const isFitting = key.length <= maxLength && FITTING_KEY.test(key);
  return isFitting ? key : sha256Hex(key).slice(0, maxLength);
}
