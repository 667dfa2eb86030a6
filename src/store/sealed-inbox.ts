/**
 * An inbox whose raw bodies are encrypted, because they name the payer: with the payer's own key,
 * so that they go with it; with the installation's where the payment was not known yet.
 */
import type { Kysely } from 'kysely';
import type { PaymentId } from '../domain/ids.js';
import type { KeyRing } from '../transport/keyring.js';
import type { Tables } from './database.js';
import type { Inbox, NewNotification, RawNotification } from './inbox.js';
import { findPayerKey } from './payer-keys.js';
import { bodyKey, keptBody, openedBody, type Sealing } from './sealed-bodies.js';

const CONTEXT = { context: 'inbox-body' };

/** What is left of the columns of an erased payer's notification. */
export const EMPTIED = { body: Buffer.alloc(0), headers: '{}' };

/**
 * Of an erased payer a notification is kept without body and headers. `get` rejects with SealError
 * when the key is missing or the body was tampered with.
 */
export function sealedInbox(inbox: Inbox, sealing: Sealing): Inbox {
  const { db } = sealing;
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
      return found && opened(sealing, found);
    },
  };
}

function sealedWith(
  key: KeyRing | 'erased' | undefined,
  notification: NewNotification,
): NewNotification {
  const body = keptBody(key, notification.body, CONTEXT);
  return { ...notification, ...(key === 'erased' && NOTHING), body };
}

const NOTHING = { body: new Uint8Array(), headers: {} };

async function opened(sealing: Sealing, found: RawNotification): Promise<RawNotification> {
  const body = await openedBody(sealing, found.body, CONTEXT);
  return body === 'erased' ? { ...found, ...NOTHING } : { ...found, body };
}

async function isErased(db: Kysely<Tables>, paymentId: PaymentId): Promise<boolean> {
  return (await findPayerKey(db, paymentId)) === 'erased';
}

async function empty(db: Kysely<Tables>, id: string): Promise<void> {
  await db.updateTable('inbox').set(EMPTIED).where('id', '=', id).execute();
}
