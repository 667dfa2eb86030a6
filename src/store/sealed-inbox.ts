/**
 * An inbox whose raw bodies are encrypted, because they name the payer: with the payer's own key,
 * so that they go with it; with the installation's where the payment was not known yet.
 */
import type { Kysely } from 'kysely';
import type { PaymentId } from '../domain/ids.js';
import type { KeyRing } from '../transport/keyring.js';
import { SealError, open, payerKeyRing, seal, sealedKeyId } from '../transport/seal.js';
import type { Tables } from './database.js';
import type { Inbox, NewNotification, RawNotification } from './inbox.js';
import {
  findPayerKey,
  lockPayerKey,
  payerKeyById,
  subjectOf,
  type PayerKey,
} from './payer-keys.js';

const CONTEXT = { context: 'inbox-body' };

/** What is left of the columns of an erased payer's notification. */
export const EMPTIED = { body: Buffer.alloc(0), headers: '{}' };

interface Sealing {
  readonly db: Kysely<Tables>;
  /** Without them bodies are kept as they came. */
  readonly keys: KeyRing | undefined;
}

/**
 * Of an erased payer a notification is kept without body and headers. `get` rejects with SealError
 * when the key is missing or the body was tampered with.
 */
export function sealedInbox(inbox: Inbox, sealing: Sealing): Inbox {
  const { db, keys } = sealing;
  return {
    ...inbox,
    async add(notification) {
      const { paymentId } = notification;
      const key = await bodyKey(sealing, paymentId);
      const added = await inbox.add(sealedWith(key, notification));
      if (!added.isNew && key === 'erased') await empty(db, added.id);
      return added;
    },
    async markDelivered(id, found) {
      await inbox.markDelivered(id, found);
      if (found && (await isErased(db, found.paymentId))) await empty(db, id);
    },
    async get(id) {
      const found = await inbox.get(id);
      return found && keys ? opened(db, keys, found) : found;
    },
  };
}

/** What a body is sealed with; undefined where it is kept as it came. */
async function bodyKey(
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

function sealedWith(
  key: KeyRing | 'erased' | undefined,
  notification: NewNotification,
): NewNotification {
  if (key === undefined) return notification;
  if (key === 'erased') return { ...notification, ...NOTHING };
  return { ...notification, body: seal(key, notification.body, CONTEXT) };
}

const NOTHING = { body: new Uint8Array(), headers: {} };

async function opened(
  db: Kysely<Tables>,
  keys: KeyRing,
  found: RawNotification,
): Promise<RawNotification> {
  const { body } = found;
  if (body.length === 0) return found;
  const keyId = sealedKeyId(body);
  const key = keys.find(keyId) ? undefined : await payerKeyById(db, keyId);
  if (key === 'erased') return { ...found, ...NOTHING };
  const ring = key ? payerKeyRing(keys, key) : keys;
  return { ...found, body: open(ring, body, CONTEXT) };
}

async function isErased(db: Kysely<Tables>, paymentId: PaymentId): Promise<boolean> {
  return (await findPayerKey(db, paymentId)) === 'erased';
}

async function empty(db: Kysely<Tables>, id: string): Promise<void> {
  await db.updateTable('inbox').set(EMPTIED).where('id', '=', id).execute();
}
