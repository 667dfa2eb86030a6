/** Payments registered at a loyalty scheme of ours, until the scheme has worked them off. */
import { sql, type Selectable } from 'kysely';
import type { PaymentId } from '../domain/ids.js';
import type { LoyaltyMember, LoyaltyResult } from '../domain/loyalty.js';
import { money, type Money } from '../domain/money.js';
import { checkRowCursor, cutPage, isRowId } from './cursor.js';
import type { LoyaltyRegistrationsTable, LoyaltyState } from './database.js';
import { findPaymentId } from './provider-objects.js';
import { bodyKey, keptBody, openedBody, type Sealing } from './sealed-bodies.js';
import { present, presentTime, toTime } from './values.js';

/** A verified registration. */
export interface NewLoyaltyRegistration {
  readonly connectionId: string;
  /** Of the payment. */
  readonly providerReference: string;
  /** The same for the same member, and by itself telling nothing of them. */
  readonly memberHash: string;
  readonly member: LoyaltyMember;
  readonly amount: Money;
  /** As it came, kept sealed as evidence. */
  readonly evidence: { readonly signature: string; readonly body: Uint8Array };
  /** ISO 8601. */
  readonly receivedAt: string;
}

/** The member is missing once the payer was erased, and so is the result. */
export interface LoyaltyRegistration extends Partial<LoyaltyMember> {
  readonly id: string;
  readonly connectionId: string;
  readonly providerReference: string;
  /** Where it was known when the registration came. */
  readonly paymentId?: PaymentId;
  readonly amount: Money;
  readonly state: LoyaltyState;
  readonly receivedAt: string;
  readonly doneAt?: string;
  readonly result?: LoyaltyResult;
}

export interface LoyaltyFilter {
  readonly connectionId?: string;
  readonly state?: LoyaltyState;
  /** The `nextCursor` of the page before. */
  readonly after?: string;
  readonly limit: number;
}

export interface LoyaltyPage {
  readonly registrations: readonly LoyaltyRegistration[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** Ids are opaque. Reading throws SealError where a key is missing. */
export interface LoyaltyRegistrations {
  /** Keeps a registration. A repeat (same payment and member) changes nothing. */
  add(registration: NewLoyaltyRegistration): Promise<LoyaltyRegistration>;
  /** Oldest first, as they are to be worked off. Throws InvalidCursor. */
  list(filter: LoyaltyFilter): Promise<LoyaltyPage>;
  /**
   * It is worked off, with this result. The first result stays: the same one again changes nothing,
   * and another one is `different`. Undefined where there is no such registration.
   */
  complete(
    id: string,
    result: LoyaltyResult,
  ): Promise<LoyaltyRegistration | 'different' | undefined>;
}

type Row = Selectable<LoyaltyRegistrationsTable>;

const CONTENT = { context: 'loyalty-content' };
const RESULT = { context: 'loyalty-result' };

/** What is left of the columns of an erased payer's registration. */
export const EMPTIED_LOYALTY = { content: Buffer.alloc(0), result: null };

export function createLoyaltyRegistrations(sealing: Sealing): LoyaltyRegistrations {
  const { db } = sealing;
  return {
    add: (registration) => add(sealing, registration),
    list: (filter) => list(sealing, filter),
    async complete(id, result) {
      if (!isRowId(id)) return undefined;
      return db.transaction().execute((trx) => complete({ ...sealing, db: trx }, id, result));
    },
  };
}

async function add(
  sealing: Sealing,
  registration: NewLoyaltyRegistration,
): Promise<LoyaltyRegistration> {
  const paymentId = await findPaymentId(sealing.db, registration);
  const key = await bodyKey(sealing, paymentId);
  const { member, evidence } = registration;
  const { signature, body } = evidence;
  const content = { member, signature, body: Buffer.from(body).toString('base64') };
  const row = await sealing.db
    .insertInto('loyalty_registrations')
    .values({
      connection_id: registration.connectionId,
      provider_reference: registration.providerReference,
      member_hash: registration.memberHash,
      payment_id: paymentId ?? null,
      amount_minor: registration.amount.minor,
      amount_currency: registration.amount.currency,
      content: bytesOf(keptBody(key, bytesOfJson(content), CONTENT)),
      received_at: toTime(registration.receivedAt),
    })
    // An update that changes nothing returns the row that is there.
    .onConflict((conflict) =>
      conflict
        .columns(['connection_id', 'provider_reference', 'member_hash'])
        .doUpdateSet({ member_hash: sql`loyalty_registrations.member_hash` }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  return registrationOf(sealing, row);
}

async function list(sealing: Sealing, filter: LoyaltyFilter): Promise<LoyaltyPage> {
  const { connectionId, state, after, limit } = filter;
  checkRowCursor(after);
  const rows = await sealing.db
    .selectFrom('loyalty_registrations')
    .selectAll()
    .where((eb) =>
      eb.and(
        [
          connectionId === undefined ? [] : eb('connection_id', '=', connectionId),
          state === undefined ? [] : eb('state', '=', state),
          after === undefined ? [] : eb('id', '>', after),
        ].flat(),
      ),
    )
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  const { page, last } = cutPage(rows, limit);
  const registrations: LoyaltyRegistration[] = [];
  for (const row of page) registrations.push(await registrationOf(sealing, row));
  return { registrations, ...(last && { nextCursor: last.id }) };
}

async function complete(
  sealing: Sealing,
  id: string,
  result: LoyaltyResult,
): Promise<LoyaltyRegistration | 'different' | undefined> {
  const row = await sealing.db
    .selectFrom('loyalty_registrations')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (!row) return undefined;
  if (row.state === 'done') {
    const known = await registrationOf(sealing, row);
    const isSame = !known.result || wordsOf(known.result) === wordsOf(result);
    return isSame ? known : 'different';
  }
  // An emptied row stays empty: nothing of an erased payer is kept.
  const key =
    row.content.length === 0 ? 'erased' : await bodyKey(sealing, row.payment_id ?? undefined);
  const kept = keptBody(key, Buffer.from(wordsOf(result)), RESULT);
  const done = await sealing.db
    .updateTable('loyalty_registrations')
    .set({
      state: 'done',
      done_at: sql<string>`now()`,
      result: kept.length === 0 ? null : bytesOf(kept),
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return registrationOf(sealing, done);
}

async function registrationOf(sealing: Sealing, row: Row): Promise<LoyaltyRegistration> {
  const content = (await opened(sealing, row.content, CONTENT)) as
    { readonly member: LoyaltyMember } | undefined;
  const result = (await opened(sealing, row.result, RESULT)) as LoyaltyResult | undefined;
  return {
    id: row.id,
    connectionId: row.connection_id,
    providerReference: row.provider_reference,
    ...present('paymentId', row.payment_id),
    ...content?.member,
    amount: money(row.amount_minor, row.amount_currency),
    state: row.state,
    receivedAt: row.received_at.toISOString(),
    ...presentTime('doneAt', row.done_at),
    ...present('result', result),
  };
}

/** Undefined where there is nothing, or nothing any more. */
async function opened(
  sealing: Sealing,
  sealed: Uint8Array | null,
  sealedFor: { readonly context: string },
): Promise<unknown> {
  if (sealed === null || sealed.length === 0) return undefined;
  const bytes = await openedBody(sealing, new Uint8Array(sealed), sealedFor);
  return bytes === 'erased' ? undefined : parsed(Buffer.from(bytes).toString('utf8'));
}

/** Whoever wrote it: an error must not quote it. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    throw new Error('store: what is sealed of a loyalty registration is no JSON');
  }
}

/** In one order, so that equal results are equal texts. */
function wordsOf({ balance, earned, message }: LoyaltyResult): string {
  return JSON.stringify({ balance, earned, message });
}

function bytesOfJson(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** The drivers take a Buffer where they would take other bytes for an object. */
function bytesOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}
