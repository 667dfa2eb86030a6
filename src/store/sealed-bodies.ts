/**
 * How bodies that name a payer are kept: sealed with the payer's own key, so that they go with it;
 * with the installation's where the payment was not known yet.
 */
import type { Kysely } from 'kysely';
import type { PaymentId } from '../domain/ids.js';
import type { KeyRing } from '../transport/keyring.js';
import {
  SealError,
  open,
  payerKeyRing,
  seal,
  sealedKeyId,
  type SealOptions,
} from '../transport/seal.js';
import type { Tables } from './database.js';
import {
  findPayerKey,
  lockPayerKey,
  payerKeyById,
  subjectOf,
  type PayerKey,
} from './payer-keys.js';

export interface Sealing {
  readonly db: Kysely<Tables>;
  /** Without them bodies are kept as they came. */
  readonly keys: KeyRing | undefined;
}

/** What a body is sealed with; undefined where it is kept as it came. */
export async function bodyKey(
  { db, keys }: Sealing,
  paymentId: PaymentId | undefined,
): Promise<KeyRing | 'erased' | undefined> {
  if (paymentId === undefined) return keys;
  const known = await findPayerKey(db, paymentId);
  if (known === 'erased') return known;
  if (!keys) return undefined;
  const key = known ?? (await newKey(db, keys, paymentId));
  if (key === 'erased') return key;
  try {
    return payerKeyRing(keys, key);
  } catch (error) {
    // A notification is never refused for a key that is missing here: it is emptied when erased.
    if (error instanceof SealError) return keys;
    throw error;
  }
}

async function newKey(db: Kysely<Tables>, keys: KeyRing, paymentId: PaymentId): Promise<PayerKey> {
  return lockPayerKey(db, { subject: await subjectOf(db, paymentId), keys });
}

/** The bytes as they are kept: of an erased payer none. */
export function keptBody(
  key: KeyRing | 'erased' | undefined,
  body: Uint8Array,
  sealedFor: SealOptions,
): Uint8Array {
  if (key === undefined) return body;
  return key === 'erased' ? new Uint8Array() : seal(key, body, sealedFor);
}

/**
 * A body as it was before it was sealed; `erased` where its payer's key was taken away.
 *
 * @throws SealError when the key is missing or the body was tampered with
 */
export async function openedBody(
  { db, keys }: Sealing,
  body: Uint8Array,
  sealedFor: SealOptions,
): Promise<Uint8Array | 'erased'> {
  if (!keys || body.length === 0) return body;
  const keyId = sealedKeyId(body);
  const key = keys.find(keyId) ? undefined : await payerKeyById(db, keyId);
  if (key === 'erased') return key;
  return open(key ? payerKeyRing(keys, key) : keys, body, sealedFor);
}
