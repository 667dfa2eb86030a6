import { sql, type Kysely } from 'kysely';
import type { PaymentId } from '../domain/ids.js';
import type { Expectation, Subject } from '../domain/subject.js';
import type { Tables } from './database.js';
import { storableText } from './values.js';

/** What may begin at a provider without us, and which payment it then belongs to. */
export interface Expectations {
  /**
   * Keeps what a payment expects. Reference, description and amount together belong to one payment:
   * resolves with the id of the one that has them, which is another's if they were taken before.
   */
  add(expected: ExpectedPayment): Promise<PaymentId>;
  /**
   * The payment that expects this: of the same amount (or of any, where the payer chooses) and the
   * same reference, or where it expects none the same description. The closest, then the oldest.
   */
  find(connectionId: string, subject: Subject): Promise<PaymentId | undefined>;
}

export interface ExpectedPayment {
  readonly connectionId: string;
  readonly paymentId: PaymentId;
  readonly expectation: Expectation;
}

export function createExpectations(db: Kysely<Tables>): Expectations {
  return {
    add: (expected) => add(db, expected),
    find: (connectionId, subject) => find(db, connectionId, subject),
  };
}

async function add(
  db: Kysely<Tables>,
  { connectionId, paymentId, expectation }: ExpectedPayment,
): Promise<PaymentId> {
  const { reference = '', description = '', amount } = expectation;
  const { payment_id: owner } = await db
    .insertInto('expectations')
    .values({
      connection_id: connectionId,
      reference: storableText(reference),
      description: storableText(description),
      amount_minor: amount?.minor ?? '',
      amount_currency: amount?.currency ?? '',
      payment_id: paymentId,
    })
    // An update that changes nothing: it returns the row that is there.
    .onConflict((conflict) =>
      conflict
        .columns(['connection_id', 'reference', 'description', 'amount_minor', 'amount_currency'])
        .doUpdateSet({ payment_id: sql`expectations.payment_id` }),
    )
    .returning('payment_id')
    .executeTakeFirstOrThrow();
  return owner;
}

async function find(
  db: Kysely<Tables>,
  connectionId: string,
  { reference = '', description = '', amount }: Subject,
): Promise<PaymentId | undefined> {
  const told = { reference: storableText(reference), description: storableText(description) };
  const row = await db
    .selectFrom('expectations')
    .select('payment_id')
    .where('connection_id', '=', connectionId)
    .where(
      sql<boolean>`
      ((reference <> '' and reference = ${told.reference})
      or (reference = '' and description <> '' and description = ${told.description}))`,
    )
    .where(
      sql<boolean>`(amount_minor = ''
      or (amount_minor = ${amount.minor} and amount_currency = ${amount.currency}))`,
    )
    .orderBy(sql`description = ${told.description}`, 'desc')
    .orderBy(sql`amount_minor <> ''`, 'desc')
    .orderBy('ordinal')
    .limit(1)
    .executeTakeFirst();
  return row?.payment_id;
}
