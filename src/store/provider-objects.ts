import type { Kysely, Transaction } from 'kysely';
import type { PaymentId } from '../domain/ids.js';
import type { Tables } from './database.js';

/** A provider's object, by the merchant account it lives in. */
export interface ProviderObject {
  readonly connectionId: string;
  readonly providerReference: string;
}

/**
 * Remembers whose objects these are. An object claimed by two payments is kept for both, and
 * answers for the first: nothing is lost, and a late claim diverts no notification.
 */
export async function indexObjects(
  trx: Transaction<Tables>,
  paymentId: PaymentId,
  objects: { readonly connectionId: string; readonly references: readonly string[] },
): Promise<void> {
  // Always in one order, so that two payments claiming the same objects cannot deadlock.
  const references = [...new Set(objects.references)].sort();
  if (references.length === 0) return;
  const rows = references.map((reference) => ({
    connection_id: objects.connectionId,
    provider_reference: reference,
    payment_id: paymentId,
  }));
  await trx
    .insertInto('provider_objects')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function findPaymentId(
  db: Kysely<Tables>,
  { connectionId, providerReference }: ProviderObject,
): Promise<PaymentId | undefined> {
  const row = await db
    .selectFrom('provider_objects')
    .select('payment_id')
    .where('connection_id', '=', connectionId)
    .where('provider_reference', '=', providerReference)
    .orderBy('ordinal')
    .limit(1)
    .executeTakeFirst();
  return row?.payment_id;
}
