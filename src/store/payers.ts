/** What is known of those who pay: sealed with a key of each payer's own. */
import { sql, type Kysely, type Transaction } from 'kysely';
import type { PaymentId } from '../domain/ids.js';
import type { PayerData } from '../domain/payer.js';
import type { KeyRing } from '../transport/keyring.js';
import { openPersonal, sealPersonal, type PayerKeyRow } from '../transport/seal.js';
import type { Tables } from './database.js';
import { EMPTIED_LOYALTY } from './loyalty.js';
import { EMPTIED } from './sealed-inbox.js';
import { erasePayerKey, findPayerKey, lockPayerKey, subjectOf } from './payer-keys.js';

/** Personal data of payers. Nothing else of the store holds any, but raw notifications. */
export interface Payers {
  /**
   * Keeps what was told of a payment's payer. It completes what is known: a newer text replaces an
   * older one of its name, and what is not told again stays. Nothing is kept of an erased payer, or
   * by a store without keys. Throws SealError when the payer's key cannot be opened.
   */
  remember(paymentId: PaymentId, told: PayerData): Promise<void>;
  /** What is known; undefined where nothing is. Throws SealError. */
  read(paymentId: PaymentId): Promise<PayerData | undefined>;
  /**
   * Forgets the payer of this payment, for all payments of theirs and for good: deletes their key,
   * what it sealed, the bodies and headers of their payments' notifications, and the members in
   * their loyalty registrations. May be repeated,
   * and must be where it fails half way.
   */
  erase(paymentId: PaymentId): Promise<void>;
}

export function createPayers(db: Kysely<Tables>, keys: KeyRing | undefined): Payers {
  return {
    remember: async (paymentId, told) => {
      if (keys) await remember(db, keys, { paymentId, told });
    },
    read: async (paymentId) => {
      const data = keys && (await known(db, keys, paymentId));
      return data === 'erased' ? undefined : data;
    },
    erase: (paymentId) => erase(db, paymentId),
  };
}

interface News {
  readonly paymentId: PaymentId;
  readonly told: PayerData;
}

async function remember(db: Kysely<Tables>, keys: KeyRing, news: News): Promise<void> {
  const { paymentId, told } = news;
  // Most news is none: it is told with every answer and every notification.
  const before = await known(db, keys, paymentId);
  if (before === 'erased' || isTold(before, told)) return;
  await db.transaction().execute(async (trx) => {
    const subject = await subjectOf(trx, paymentId);
    const key = await lockPayerKey(trx, { subject, keys });
    if (key === 'erased') return;
    const earlier = await opened(trx, keys, { key, paymentId });
    const { ciphertext } = sealPersonal(keys, key, JSON.stringify({ ...earlier, ...told }));
    await trx
      .insertInto('payer_payments')
      .values({ payment_id: paymentId, subject, ciphertext })
      .onConflict((conflict) =>
        conflict.column('payment_id').doUpdateSet({ ciphertext, updated_at: sql<string>`now()` }),
      )
      .execute();
  });
}

async function known(
  db: Kysely<Tables>,
  keys: KeyRing,
  paymentId: PaymentId,
): Promise<PayerData | 'erased' | undefined> {
  const key = await findPayerKey(db, paymentId);
  if (key === undefined || key === 'erased') return key;
  return opened(db, keys, { key, paymentId });
}

async function opened(
  db: Kysely<Tables>,
  keys: KeyRing,
  { key, paymentId }: { readonly key: PayerKeyRow; readonly paymentId: PaymentId },
): Promise<PayerData | undefined> {
  const row = await db
    .selectFrom('payer_payments')
    .select('ciphertext')
    .where('payment_id', '=', paymentId)
    .executeTakeFirst();
  const ciphertext = row?.ciphertext ?? null;
  if (ciphertext === null) return undefined;
  return parsed(openPersonal(keys, key, { keyId: key.keyId, ciphertext }));
}

/** Whoever wrote it: an error must not quote it. */
function parsed(json: string): PayerData {
  try {
    return JSON.parse(json) as PayerData;
  } catch {
    throw new Error('store: what is sealed of a payer is no JSON');
  }
}

function isTold(known: PayerData | undefined, told: PayerData): boolean {
  const fields = Object.keys(told) as (keyof PayerData)[];
  return fields.every((field) => known?.[field] === told[field]);
}

/**
 * The key goes first, and by itself: whoever stores a notification meanwhile either sees that the
 * payer was erased, or has stored it by the time its payments' notifications are emptied.
 */
async function erase(db: Kysely<Tables>, paymentId: PaymentId): Promise<void> {
  const subject = await subjectOf(db, paymentId);
  await db.transaction().execute(async (trx) => {
    await erasePayerKey(trx, subject);
    await trx
      .insertInto('payer_payments')
      .values({ payment_id: paymentId, subject, ciphertext: null })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await trx
      .updateTable('payer_payments')
      .set({ ciphertext: null })
      .where('subject', '=', subject)
      .execute();
  });
  await db.transaction().execute((trx) => emptyBodies(trx, subject));
}

/**
 * Of notifications and loyalty registrations: those that name the payment, and those about an object
 * of it whose payment was not known.
 */
async function emptyBodies(trx: Transaction<Tables>, subject: string): Promise<void> {
  const theirs = trx
    .selectFrom('payer_payments')
    .select('payment_id')
    .where('subject', '=', subject);
  await trx.updateTable('inbox').set(EMPTIED).where('payment_id', 'in', theirs).execute();
  await trx
    .updateTable('loyalty_registrations')
    .set(EMPTIED_LOYALTY)
    .where('payment_id', 'in', theirs)
    .execute();
  await trx
    .updateTable('inbox')
    .from('provider_objects')
    .set(EMPTIED)
    .where('inbox.payment_id', 'is', null)
    .whereRef('inbox.connection_id', '=', 'provider_objects.connection_id')
    .whereRef('inbox.provider_reference', '=', 'provider_objects.provider_reference')
    .where('provider_objects.payment_id', 'in', theirs)
    .execute();
  await trx
    .updateTable('loyalty_registrations')
    .from('provider_objects')
    .set(EMPTIED_LOYALTY)
    .where('loyalty_registrations.payment_id', 'is', null)
    .whereRef('loyalty_registrations.connection_id', '=', 'provider_objects.connection_id')
    .whereRef(
      'loyalty_registrations.provider_reference',
      '=',
      'provider_objects.provider_reference',
    )
    .where('provider_objects.payment_id', 'in', theirs)
    .execute();
}
