/** The key rows of payers. A payer is erased by taking the key out of the row. */
import { sql, type Kysely, type Selectable } from 'kysely';
import type { PaymentId } from '../domain/ids.js';
import type { KeyRing } from '../transport/keyring.js';
import { newPayerKey, type PayerKeyRow } from '../transport/seal.js';
import type { PayersTable, Tables } from './database.js';

/** Whose data it is: one of the payer's own, or what seals nothing any more. */
export type PayerKey = PayerKeyRow | 'erased';

/** Whose payment it is. */
export async function subjectOf(db: Kysely<Tables>, paymentId: PaymentId): Promise<string> {
  const known = await db
    .selectFrom('payer_payments')
    .select('subject')
    .where('payment_id', '=', paymentId)
    .executeTakeFirst();
  return known?.subject ?? ownSubject(paymentId);
}

/**
 * Where nobody names the payer, each payment has a payer of its own: a masked account number
 * identifies nobody.
 */
function ownSubject(paymentId: PaymentId): string {
  return `payment:${paymentId}`;
}

/** The key of a payment's payer, if there ever was one. */
export async function findPayerKey(
  db: Kysely<Tables>,
  paymentId: PaymentId,
): Promise<PayerKey | undefined> {
  const subject = sql<string>`coalesce(
    (select subject from payer_payments where payment_id = ${paymentId}),
    ${ownSubject(paymentId)}::text)`;
  const row = await db
    .selectFrom('payers')
    .selectAll()
    .where('subject', '=', subject)
    .executeTakeFirst();
  return row && toKey(row);
}

/** The payer's key of this id, if there ever was one. */
export async function payerKeyById(
  db: Kysely<Tables>,
  keyId: string,
): Promise<PayerKey | undefined> {
  const row = await db
    .selectFrom('payers')
    .selectAll()
    .where('key_id', '=', keyId)
    .executeTakeFirst();
  return row && toKey(row);
}

/** The payer's key, made if there is none. In a transaction, nobody else gets at it until its end. */
export async function lockPayerKey(
  db: Kysely<Tables>,
  { subject, keys }: { readonly subject: string; readonly keys: KeyRing },
): Promise<PayerKey> {
  const { keyId, sealedKey } = newPayerKey(keys);
  const row = await db
    .insertInto('payers')
    .values({ subject, key_id: keyId, sealed_key: Buffer.from(sealedKey) })
    // An update that changes nothing: it locks the row that is there, and returns it.
    .onConflict((conflict) =>
      conflict.column('subject').doUpdateSet({ key_id: sql`payers.key_id` }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  return toKey(row);
}

/** Takes the key away, and leaves word that it was. */
export async function erasePayerKey(db: Kysely<Tables>, subject: string): Promise<void> {
  await db
    .insertInto('payers')
    .values({ subject, key_id: null, sealed_key: null, erased_at: sql<string>`now()` })
    .onConflict((conflict) =>
      conflict.column('subject').doUpdateSet({
        sealed_key: null,
        erased_at: sql<string>`coalesce(payers.erased_at, now())`,
      }),
    )
    .execute();
}

function toKey({ key_id: keyId, sealed_key: sealedKey }: Selectable<PayersTable>): PayerKey {
  if (keyId === null || sealedKey === null) return 'erased';
  return { keyId, sealedKey: new Uint8Array(sealedKey) };
}
